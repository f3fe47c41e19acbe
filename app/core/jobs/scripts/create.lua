-- Creates a job, unless its owner has too many that have not ended.
--
-- KEYS[1]  koe:job:<id>: the record
-- KEYS[2]  koe:job:<id>:text: the text
-- KEYS[3]  koe:jobs:of:<owner>: the owner's jobs
-- KEYS[4]  koe:jobs:open: all jobs that have not ended
-- KEYS[5]  koe:jobs:open:<owner>: the owner's jobs that have not ended
-- KEYS[6]  koe:job:<id>:chapters: where the chapters of the text begin
-- ARGV[1]  id of the job
-- ARGV[2]  its fields that never change (JSON)
-- ARGV[3]  the text
-- ARGV[4]  host of its webhook, or '' for none
-- ARGV[5]  channel on which changes of jobs are published
-- ARGV[6]  its owner
-- ARGV[7]  most jobs that an owner may have open; 0 for any number
-- ARGV[8]  the chapters (JSON), or '' if they are unknown
-- Returns  0, or the number of the owner's open jobs when these are too many
-- Touches  koe:job:<id>

if tonumber(ARGV[7]) > 0 and redis.call('SCARD', KEYS[5]) >= tonumber(ARGV[7]) then
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[5])) do
    local status = redis.call('HGET', 'koe:job:' .. id, 'status')
    if status ~= 'queued' and status ~= 'in_progress' then redis.call('SREM', KEYS[5], id) end
  end
  local n_open = redis.call('SCARD', KEYS[5])
  if n_open >= tonumber(ARGV[7]) then return n_open end
end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'status', 'queued', 'owner', ARGV[6])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'has_webhook', 1, 'webhook_host', ARGV[4]) end
redis.call('SET', KEYS[2], ARGV[3])
if ARGV[8] ~= '' then redis.call('SET', KEYS[6], ARGV[8]) end
redis.call('ZADD', KEYS[3], now_ms, ARGV[1])
redis.call('ZADD', KEYS[4], now_ms, ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
redis.call('PUBLISH', ARGV[5], ARGV[1])
return 0
