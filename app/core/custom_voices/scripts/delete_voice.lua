-- Deletes a voice, and with the last one the list of the owner's voices.
--
-- KEYS[1]  koe:voices:of:<owner>: the owner's voices
-- KEYS[2]  koe:voice:<id>: the pack
-- ARGV[1]  id of the voice
-- ARGV[2]  field of the version
-- ARGV[3]  the new version
-- Returns  1, or 0 when there is no such voice

if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('UNLINK', KEYS[2])
if redis.call('HLEN', KEYS[1]) > 1 then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return 1
