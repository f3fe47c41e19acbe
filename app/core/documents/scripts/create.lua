-- Records a file that a user has sent, unless its owner has too many documents.
--
-- KEYS[1]  koe:document:<id>: the record
-- KEYS[2]  koe:documents:of:<owner>: the owner's documents by the time when they expire, in milliseconds
-- KEYS[3]  koe:documents: all documents by the time when their files are deleted, in seconds
-- ARGV[1]  id of the document
-- ARGV[2]  its upload (JSON)
-- ARGV[3]  time when it expires, in seconds
-- ARGV[4]  most documents of an owner
-- ARGV[5]  seconds until the record is deleted, if no worker does it before
-- Returns  0, or the number of the owner's documents when these are too many

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', redis.call('TIME')[1] * 1000)
local n_documents = redis.call('ZCARD', KEYS[2])
if n_documents >= tonumber(ARGV[4]) then return n_documents end
redis.call('HSET', KEYS[1], 'upload', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 0
