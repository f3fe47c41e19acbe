-- Marks an attempt whose audio differs from what its id promises. Its present readers get it; later requests do not get it,
-- as if its beginning were deleted.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- Returns  1, or 0 when the lease is stale

if not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSETNX', KEYS[1], 'trimmed', 0)
return 1
