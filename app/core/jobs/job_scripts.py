"""The steps of a job's life, each a script that Redis runs as one; `app.core.jobs.jobs` says what they are for."""

from typing import Final

# KEYS: record, text, of owner, open, open of owner. ARGV: id, spec (JSON), text, host of the webhook or '', bell, owner, most
# jobs that an owner may have open (0: any number). Times are in milliseconds. Returns 0, or how many are open where that is
# too many.
CREATE: Final = """
if tonumber(ARGV[7]) > 0 and redis.call('SCARD', KEYS[5]) >= tonumber(ARGV[7]) then
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[5])) do
    local status = redis.call('HGET', 'koe:job:' .. id, 'status')
    if status ~= 'queued' and status ~= 'in_progress' then redis.call('SREM', KEYS[5], id) end
  end
  local n_open = redis.call('SCARD', KEYS[5])
  if n_open >= tonumber(ARGV[7]) then return n_open end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'status', 'queued', 'owner', ARGV[6])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'has_webhook', 1, 'webhook_host', ARGV[4]) end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('ZADD', KEYS[4], now, ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
redis.call('PUBLISH', ARGV[5], ARGV[1])
return 0
"""

# KEYS: of owner. ARGV: id after which to begin or '', how many. Returns nothing when that id is not there.
LIST: Final = """
local first = 0
if ARGV[1] ~= '' then
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
  if not rank then return false end
  first = rank + 1
end
return redis.call('ZREVRANGE', KEYS[1], first, first + ARGV[2] - 1)
"""

# KEYS: record. ARGV: id, bell.
BEGIN: Final = """
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'in_progress' then return 1 end
if status ~= 'queued' then return 0 end
redis.call('HSET', KEYS[1], 'status', 'in_progress', 'started_at', redis.call('TIME')[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
"""

# KEYS: record, plan, progress. ARGV: id, bell, plan (JSON), then the segments expected of each part.
# Returns the plan that holds.
PLAN: Final = """
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'queued' and status ~= 'in_progress' then return false end
if redis.call('SETNX', KEYS[2], ARGV[3]) == 1 then
  local total = 0
  for i = 4, #ARGV do
    redis.call('HSET', KEYS[3], i - 3, ARGV[i] .. ' 0 0')
    total = total + tonumber(ARGV[i])
  end
  redis.call('HSET', KEYS[1], 'segments_total', total)
  redis.call('PUBLISH', ARGV[2], ARGV[1])
end
return redis.call('GET', KEYS[2])
"""

# KEYS: record, progress, results. ARGV: id, bell, part, segments spoken, seconds, result (JSON) or ''.
ADVANCE: Final = """
if redis.call('HGET', KEYS[1], 'status') ~= 'in_progress' then return 0 end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[6])
elseif redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 then
  return 0
end
local expected = ARGV[4]
if ARGV[6] == '' then
  local before = redis.call('HGET', KEYS[2], ARGV[3])
  local planned = before and tonumber(string.match(before, '^%d+')) or 0
  expected = string.format('%d', math.max(planned, tonumber(ARGV[4])))
end
redis.call('HSET', KEYS[2], ARGV[3], expected .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
local total, done, seconds = 0, 0, 0
for _, numbers in ipairs(redis.call('HVALS', KEYS[2])) do
  local e, d, s = string.match(numbers, '^(%S+) (%S+) (%S+)$')
  total, done, seconds = total + tonumber(e), done + tonumber(d), seconds + tonumber(s)
end
redis.call('HSET', KEYS[1], 'segments_total', total, 'segments_done', done, 'audio_seconds', string.format('%.3f', seconds))
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
"""

# KEYS: record, open, ended, webhooks, then what is of use only until the end. ARGV: id, bell, status, ttl, file (JSON) or '',
# error (JSON) or ''. Returns 1 when the job has ended by this.
END: Final = """
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'queued' and status ~= 'in_progress' then return 0 end
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
"""

# KEYS: record, of owner, ended, webhooks. ARGV: id, bell, ttl. To follow END.
DELETE: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'deleted', 1)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], redis.call('TIME')[1] + ARGV[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
"""

# KEYS: record, attempts. ARGV: part.
ATTEMPT: Final = """
if redis.call('HGET', KEYS[1], 'status') ~= 'in_progress' then return 0 end
return redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
"""
