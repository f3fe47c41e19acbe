-- Returns the state of an attempt, for its readers.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  id of the utterance
-- ARGV[3]  most utterances that can get their first audio in time; -1 when that does not matter
-- Returns  false when the attempt is over or lost; else {state, 1 when a live worker has it in flight or 0, 1 when the API
--          process that submitted it is alive or 0, number of utterances that wait for their first audio when so many of them
--          are before this one that it comes too late, else 0}
-- Touches  koe:api:<name>, koe:hand:<name>, koe:unheard, koe:utterance:<id>, koe:worker:<name>

local function n_waiting_if_too_late(owner)
  local most = tonumber(ARGV[3])
  local rank = most >= 0 and redis.call('ZRANK', 'koe:unheard', ARGV[2])
  if not rank or rank < most or n_before(owner or '', ARGV[2]) < most then return 0 end
  return redis.call('ZCARD', 'koe:unheard')
end

local state, attempt, worker, submitter, lease, owner =
  unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'worker', 'submitter', 'attempt', 'owner'))
if attempt ~= ARGV[1] then return false end
if state ~= 'queued' and redis.call('EXISTS', KEYS[2]) == 0 then return false end
local has_worker = redis.call('EXISTS', 'koe:worker:' .. (worker or ''))
if has_worker == 1 then has_worker = redis.call('SISMEMBER', 'koe:hand:' .. worker, lease or '') end
return {state, has_worker, redis.call('EXISTS', 'koe:api:' .. (submitter or '')), n_waiting_if_too_late(owner)}
