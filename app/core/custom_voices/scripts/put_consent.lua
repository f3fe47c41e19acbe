-- Writes a consent that is there, or a new one unless its owner has too many.
--
-- KEYS[1]  koe:consents:of:<owner>: the owner's consents
-- ARGV[1]  id of the consent
-- ARGV[2]  the consent (JSON)
-- ARGV[3]  most consents of an owner
-- Returns  1, or 0 when there is no such consent and no room for another one

local is_new = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0
if is_new and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
