-- Ends a try, so that another webhook may be sent to the same owner and host.
--
-- KEYS     none
-- ARGV[1]  id of the job
-- Returns  nothing
-- Touches  koe:job:<id>, koe:webhooks:with:<owner>, koe:webhooks:at:<host>

local owner, host = unpack(redis.call('HMGET', 'koe:job:' .. ARGV[1], 'owner', 'webhook_host'))
redis.call('ZREM', 'koe:webhooks:with:' .. (owner or ''), ARGV[1])
redis.call('ZREM', 'koe:webhooks:at:' .. (host or ''), ARGV[1])
