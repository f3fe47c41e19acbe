-- Admits a request within the limits of its owner, or refuses it.
--
-- KEYS[1]  koe:asked:<owner>: times of the owner's requests
-- KEYS[2]  koe:open:<owner>: the owner's requests that are open
-- ARGV[1]  name of this API process
-- ARGV[2]  seconds that the heartbeat of this API process lives
-- ARGV[3]  name of this request
-- ARGV[4]  most requests that are admitted in a period; 0 for any number
-- ARGV[5]  the period in microseconds
-- ARGV[6]  most requests that may be open; 0 for any number
-- ARGV[7]  seconds after which the set of open requests is deleted
-- Returns  {reason of a refusal ('open' or 'rate'; '' when admitted), requests left in the period, microseconds until all
--          requests of a period are available again, microseconds until the next one is available}
-- Touches  koe:api:<name>

redis.call('SET', 'koe:api:' .. ARGV[1], 1, 'EX', ARGV[2], 'NX')
local most, period, most_open = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now, n, reset, next_one = time[1] * 1000000 + time[2], 0, 0, 0
if most > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - period))
  n = redis.call('ZCARD', KEYS[1])
  if n > 0 then
    next_one = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + period - now
    reset = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] + period - now
  end
end
if most_open > 0 then
  local n_open = 0
  for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    if redis.call('EXISTS', 'koe:api:' .. string.match(name, '^%S+')) == 1 then n_open = n_open + 1
    else redis.call('SREM', KEYS[2], name) end
  end
  if n_open >= most_open then return {'open', most - n, reset, 0} end
end
if most > 0 then
  if n >= most then return {'rate', 0, reset, next_one} end
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(period / 1000))
  n, reset = n + 1, period
end
if most_open > 0 then
  redis.call('SADD', KEYS[2], ARGV[1] .. ' ' .. ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[7])
end
return {'', most - n, reset, 0}
