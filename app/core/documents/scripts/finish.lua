-- Stores what was read of a document, and lists it.
--
-- KEYS[1]  koe:document:<id>: the record
-- KEYS[2]  koe:documents:of:<owner>: the owner's documents by the time when they expire, in milliseconds
-- ARGV[1]  id of the document
-- ARGV[2]  its content (JSON)
-- ARGV[3]  time when it expires, in milliseconds
-- Returns  1, or 0 when the document has been deleted

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'content', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
