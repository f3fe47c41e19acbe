-- Releases an unfinished attempt, so that it can be leased again later.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- ARGV[3]  the new state: 'queued', or 'parked' for paused
-- ARGV[4]  id of the utterance
-- Returns  1, or 0 when the lease is stale
-- Touches  koe:parked

if not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'at_risk', 0, 'queued', now_ms())
redis.call('HINCRBY', KEYS[1], 'claim', 1)
if ARGV[3] == 'parked' then redis.call('SADD', 'koe:parked', ARGV[4] .. ':' .. ARGV[1]) end
return 1
