-- Deletes an ended job for its owner. The record stays for a while, so that the sweep deletes files that a worker still writes.
--
-- KEYS[1]  koe:job:<id>: the record
-- KEYS[2]  koe:jobs:of:<owner>: the owner's jobs
-- KEYS[3]  koe:jobs:ended: ended jobs by the time when they expire
-- KEYS[4]  koe:webhooks: jobs whose webhook is due
-- ARGV[1]  id of the job
-- ARGV[2]  channel on which changes of jobs are published
-- ARGV[3]  seconds until the record expires
-- Returns  1, or 0 when there is no record

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'deleted', 1)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], redis.call('TIME')[1] + ARGV[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
