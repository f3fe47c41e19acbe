-- Marks an attempt whose segments are all spoken: it is finished even when all its readers leave.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- Returns  nothing; a stale lease changes nothing

if holds_lease(KEYS[1], ARGV[1], ARGV[2]) then redis.call('HSET', KEYS[1], 'ending', 1) end
