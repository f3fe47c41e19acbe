-- Ends an attempt well and puts its audio into the cache. Audio that has lost its beginning is not cached, nor is audio of a
-- voice that its user has deleted meanwhile.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- ARGV[3]  id of the utterance
-- ARGV[4]  seconds that finished audio is cached
-- ARGV[5]  most bytes of cached finished audio
-- ARGV[6]  the report (JSON)
-- ARGV[7]  ids of the voices in it that users have made, with spaces between them
-- Returns  segments that engines have spoken for it, on all workers; -1 when the lease is stale
-- Touches  koe:bell, koe:cache, koe:cache:sizes

if not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return -1 end
local state, spoken = unpack(redis.call('HMGET', KEYS[1], 'state', 'spoken'))
spoken = tonumber(spoken or 0)
if state == 'finished' then return spoken end
if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'stop', 'report', ARGV[6]) then return -1 end
redis.call('PUBLISH', 'koe:bell', ARGV[3])
redis.call('HSET', KEYS[1], 'state', 'finished')
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'voices', ARGV[7]) end
if not has_voices(ARGV[7]) then redis.call('HSETNX', KEYS[1], 'trimmed', 0) end
drop_task_segments(ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
if redis.call('HEXISTS', KEYS[1], 'trimmed') == 1 then return spoken end
local now = tonumber(redis.call('TIME')[1])
forget_finished(ARGV[3])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'koe:cache', '-inf', now - tonumber(ARGV[4]))) do forget_finished(id) end
local bytes = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
redis.call('ZADD', 'koe:cache', now, ARGV[3])
redis.call('HSET', 'koe:cache:sizes', ARGV[3], bytes)
redis.call('HINCRBY', 'koe:cache:sizes', 'total', bytes)
evict_finished(tonumber(ARGV[5]))
return spoken
