-- Ends an attempt with an error that all its readers get. The record is deleted: the next request begins a new
-- attempt, which finds the cached segments for a while.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease, or '' for an API process, which holds none
-- ARGV[3]  id of the utterance
-- ARGV[4]  seconds that the error stays readable
-- ARGV[5]  code of the error
-- ARGV[6]  its message
-- ARGV[7]  its param
-- Returns  1, or 0 when the lease is stale or the attempt is deleted
-- Touches  koe:bell, koe:kept:<name>

local is_current = redis.call('HGET', KEYS[1], 'take') == ARGV[1]
if ARGV[2] ~= '' and not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
if not is_current and redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'kind', 'error', 'code', ARGV[5], 'message', ARGV[6], 'param', ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[4])
if is_current then
  stop_waiting(ARGV[3])
  redis.call('DEL', KEYS[1])
  redis.call('EXPIRE', 'koe:kept:' .. ARGV[3], ARGV[4])
end
redis.call('PUBLISH', 'koe:bell', ARGV[3])
return 1
