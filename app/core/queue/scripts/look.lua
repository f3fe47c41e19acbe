-- Returns the state of an attempt, for its readers.
--
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- Returns  false when the attempt is over or lost; else {state, 1 when a live worker has it in flight or 0, 1 when the API
--          process that submitted it is alive or 0}
-- Touches  koe:api:<name>, koe:hand:<name>, koe:worker:<name>

local state, attempt, worker, submitter, lease =
  unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'worker', 'submitter', 'attempt'))
if attempt ~= ARGV[1] then return false end
if state ~= 'queued' and redis.call('EXISTS', KEYS[2]) == 0 then return false end
local has_worker = redis.call('EXISTS', 'koe:worker:' .. (worker or ''))
if has_worker == 1 then has_worker = redis.call('SISMEMBER', 'koe:hand:' .. worker, lease or '') end
return {state, has_worker, redis.call('EXISTS', 'koe:api:' .. (submitter or ''))}
