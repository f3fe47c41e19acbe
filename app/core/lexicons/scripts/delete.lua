-- Deletes an entry of a lexicon, and with the last entry the lexicon.
--
-- KEYS[1]  koe:lexicon:<owner>: the lexicon
-- ARGV[1]  field of the entry
-- ARGV[2]  field of the version
-- ARGV[3]  the new version
-- Returns  1, or 0 when there is no such entry

if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if redis.call('HLEN', KEYS[1]) > 1 then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return 1
