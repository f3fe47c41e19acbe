-- Puts an entry into a lexicon, unless it is full.
--
-- KEYS[1]  koe:lexicon:<owner>: the lexicon
-- ARGV[1]  field of the entry
-- ARGV[2]  its phonemes
-- ARGV[3]  field of the version
-- ARGV[4]  the new version
-- ARGV[5]  most entries
-- Returns  1, or 0 when the lexicon is full

local n_entries = math.max(0, redis.call('HLEN', KEYS[1]) - 1)
if n_entries >= tonumber(ARGV[5]) and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 1
