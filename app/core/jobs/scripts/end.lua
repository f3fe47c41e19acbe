-- Ends a job: completed, failed or cancelled. Deletes the keys that are needed only until the end, and queues its webhook.
--
-- KEYS[1]  koe:job:<id>: the record
-- KEYS[2]  koe:jobs:open: all jobs that have not ended
-- KEYS[3]  koe:jobs:ended: ended jobs by the time when they expire
-- KEYS[4]  koe:webhooks: jobs whose webhook is due
-- KEYS[5…] keys of the job that are deleted: koe:job:<id>:text, koe:job:<id>:chapters, koe:job:<id>:plan,
--          koe:job:<id>:progress, koe:job:<id>:results, koe:job:<id>:attempts
-- ARGV[1]  id of the job
-- ARGV[2]  channel on which changes of jobs are published
-- ARGV[3]  the status it ends with
-- ARGV[4]  seconds until the job expires
-- ARGV[5]  its file (JSON), or '' for none
-- ARGV[6]  its error (JSON), or '' for none
-- Returns  1 when this ended the job, or 0 when it had ended before
-- Touches  koe:jobs:open:<owner>, koe:metrics

local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'queued' and status ~= 'in_progress' then return 0 end
redis.call('HINCRBY', 'koe:metrics', 'koe_jobs_total{outcome="' .. ARGV[3] .. '"}', 1)
local now = tonumber(redis.call('TIME')[1])
local expires = now + tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'completed_at', now, 'expires_at', expires)
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'file', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[6]) end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SREM', 'koe:jobs:open:' .. (redis.call('HGET', KEYS[1], 'owner') or ''), ARGV[1])
redis.call('ZADD', KEYS[3], expires, ARGV[1])
if redis.call('HGET', KEYS[1], 'has_webhook') == '1' then redis.call('ZADD', KEYS[4], now, ARGV[1]) end
for i = 5, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
