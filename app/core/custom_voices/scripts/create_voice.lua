-- Adds a voice, unless its owner has too many.
--
-- KEYS[1]  koe:voices:of:<owner>: the owner's voices
-- KEYS[2]  koe:voice:<id>: the pack
-- ARGV[1]  id of the voice
-- ARGV[2]  the voice (JSON)
-- ARGV[3]  its pack, or '' for a blend
-- ARGV[4]  field of the version
-- ARGV[5]  the new version
-- ARGV[6]  most voices of an owner
-- Returns  1, or 0 when the owner has too many voices

if math.max(0, redis.call('HLEN', KEYS[1]) - 1) >= tonumber(ARGV[6]) then return 0 end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], ARGV[4], ARGV[5])
return 1
