-- Runs a few of the commands that Koe needs. Redis refuses the script when its user may not run one of them.
--
-- KEYS[1]  koe:probe:one: deleted at the end
-- KEYS[2]  rq:probe:two: deleted at the end
-- ARGV     none
-- Returns  the time of Redis in seconds since 1970

local key = KEYS[1]
redis.call('HSET', key, 'a', 1)
redis.call('HINCRBY', key, 'a', 1)
redis.call('DEL', key)
redis.call('XADD', key, '*', 'a', 1)
redis.call('XRANGE', key, '-', '+')
redis.call('UNLINK', key)
redis.call('ZADD', key, 1, 'a')
redis.call('SADD', KEYS[2], 'a')
redis.call('DEL', key, KEYS[2])
redis.call('PUBLISH', key, '')
return redis.call('TIME')[1]
