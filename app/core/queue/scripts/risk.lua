-- Counts the segments that an engine is speaking now: if the worker dies, they may be the cause.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- ARGV[3]  1 before a segment, -1 after it
-- ARGV[4]  1 when a segment was spoken: that clears the deaths counted so far; else 0
-- Returns  1, or 0 when the lease is stale

if not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HINCRBY', KEYS[1], 'at_risk', ARGV[3])
if ARGV[4] == '1' then
  redis.call('HINCRBY', KEYS[1], 'spoken', 1)
  redis.call('HDEL', KEYS[1], 'deaths', 'fruitless')
end
return 1
