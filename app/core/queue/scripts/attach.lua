-- Adds one reader to an utterance. Begins a new attempt when there is none to read.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- ARGV[1]  name of the new attempt, if one begins
-- ARGV[2]  seconds that the utterance may wait for a worker
-- ARGV[3]  seconds that finished audio is cached
-- ARGV[4]  id of the utterance
-- ARGV[5]  name of this API process
-- ARGV[6]  seconds that the heartbeat of this API process lives
-- ARGV[7]  the attempt whose audio Redis has lost, or ''; this attempt ends for all its readers
-- ARGV[8]  most utterances that may get their first audio before this one, plus 1; -1 for any number
-- ARGV[9]  estimated seconds of its audio
-- ARGV[10] owner of the request; '' on a server without keys
-- Returns  {'hit', attempt} when it is finished, {'join', attempt} when it is queued or being spoken, {'miss', attempt} when a
--          new attempt begins, {'apart', attempt} when its beginning is deleted and no reader can be added,
--          {'full', number of waiting utterances} when too many wait
-- Touches  koe:api:<name>, koe:audio:<id>:<take>, koe:cache, koe:gone, koe:unheard, koe:utterance:<id>

redis.call('SET', 'koe:api:' .. ARGV[5], 1, 'EX', ARGV[6], 'NX')
local state, attempt, trimmed = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'trimmed'))
if attempt and attempt == ARGV[7] then
  redis.call('UNLINK', 'koe:audio:' .. ARGV[4] .. ':' .. attempt)
  redis.call('PUBLISH', 'koe:gone', ARGV[4] .. ':' .. attempt)
  state, trimmed = false, false
end
if trimmed then return {'apart', attempt} end
if state and state ~= 'finished' then
  redis.call('HINCRBY', KEYS[1], 'readers:' .. ARGV[5], 1)
  return {'join', attempt}
end
if state == 'finished' and redis.call('EXPIRE', 'koe:audio:' .. ARGV[4] .. ':' .. attempt, ARGV[3]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'readers:' .. ARGV[5], 1)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('ZADD', 'koe:cache', redis.call('TIME')[1], ARGV[4])
  return {'hit', attempt}
end
local now = now_seconds()
redis.call('ZREMRANGEBYSCORE', 'koe:unheard', '-inf', now - tonumber(ARGV[2]))
if ARGV[7] == '' and tonumber(ARGV[8]) >= 0 then
  local n_waiting = redis.call('ZCARD', 'koe:unheard')
  if n_waiting >= tonumber(ARGV[8]) and n_before(ARGV[10]) >= tonumber(ARGV[8]) then return {'full', tostring(n_waiting)} end
end
redis.call('ZADD', 'koe:unheard', now, ARGV[4])
redis.call('EXPIRE', 'koe:unheard', ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'queued', 'take', ARGV[1], 'submitter', ARGV[5], 'readers:' .. ARGV[5], 1)
redis.call('HSET', KEYS[1], 'queued', now_ms(), 'expected', ARGV[9], 'owner', ARGV[10])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {'miss', ARGV[1]}
