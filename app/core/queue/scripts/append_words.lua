-- Appends word times to the stream of an attempt, once.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- ARGV[3]  id of the utterance
-- ARGV[4]  how many batches of word times were appended before
-- ARGV[5]  the word times (JSON)
-- Returns  1; 0 when they are in the stream already, -1 when the lease is stale, -2 when word times before them are missing
-- Touches  koe:bell

if not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return -1 end
local n_appended = tonumber(redis.call('HGET', KEYS[1], 'told') or 0)
if n_appended > tonumber(ARGV[4]) then return 0 end
if n_appended < tonumber(ARGV[4]) then return -2 end
if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'words', 'words', ARGV[5]) then return -1 end
redis.call('HINCRBY', KEYS[1], 'told', 1)
redis.call('PUBLISH', 'koe:bell', ARGV[3])
return 1
