-- Gives a worker the lease of an utterance that waits, or whose worker has died. A new fencing token makes every earlier lease
-- stale.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- ARGV[1]  name of the worker
-- ARGV[2]  seconds after which an unfinished attempt is deleted
-- ARGV[3]  id of the utterance
-- ARGV[4]  number of deaths of workers that makes it poison
-- ARGV[5]  number of takeovers without progress that makes it poison
-- ARGV[6]  name of the lease; the worker repeats it when the answer to this script was lost
-- Returns  false when nobody wants the utterance or a live worker has it; else {attempt, fencing token, bytes in the stream,
--          milliseconds since the first of them, 1 when it is poison or 0, milliseconds in the queue or -1 for a takeover}
-- Touches  koe:audio:<id>:<take>, koe:bell, koe:callers, koe:hand:<name>, koe:worker:<name>

redis.call('HDEL', 'koe:callers', ARGV[3])
local state, attempt, worker, lease = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'worker', 'attempt'))
if state ~= 'queued' and state ~= 'speaking' then return false end
local is_poison = 0
local is_takeover = state == 'speaking' and lease ~= ARGV[6]
if is_takeover and redis.call('EXISTS', 'koe:worker:' .. worker) == 1 then
  if redis.call('SISMEMBER', 'koe:hand:' .. worker, lease or '') == 1 then return false end
  is_takeover = false
end
if worker == ARGV[1] then is_takeover = false end
if is_takeover then
  if tonumber(redis.call('HGET', KEYS[1], 'at_risk') or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'deaths', 1) end
  redis.call('HINCRBY', KEYS[1], 'takeovers', 1)
  count_event('koe_takeovers_total')
end
local stream = 'koe:audio:' .. ARGV[3] .. ':' .. attempt
if n_readers(KEYS[1]) == 0 then
  redis.call('UNLINK', KEYS[1], stream)
  drop_task_segments(ARGV[3])
  stop_waiting(ARGV[3])
  return false
end
local no_progress = redis.call('HINCRBY', KEYS[1], 'fruitless', is_takeover and 1 or 0)
local deaths, bytes, started, queued = unpack(redis.call('HMGET', KEYS[1], 'deaths', 'bytes', 'started', 'queued'))
if tonumber(deaths or 0) >= tonumber(ARGV[4]) or no_progress >= tonumber(ARGV[5]) then is_poison = 1 end
redis.call('HSET', KEYS[1], 'state', 'speaking', 'worker', ARGV[1], 'attempt', ARGV[6], 'at_risk', 1)
local token = redis.call('HINCRBY', KEYS[1], 'claim', 1)
redis.call('SADD', 'koe:hand:' .. ARGV[1], ARGV[6])
redis.call('EXPIRE', 'koe:hand:' .. ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('XADD', stream, '*', 'kind', 'start', 'worker', ARGV[1])
redis.call('EXPIRE', stream, ARGV[2])
redis.call('PUBLISH', 'koe:bell', ARGV[3])
local now = now_ms()
local listening = started and now - tonumber(started) or 0
local waited = state == 'queued' and queued and now - tonumber(queued) or -1
return {attempt, tostring(token), tonumber(bytes or 0), listening, is_poison, waited}
