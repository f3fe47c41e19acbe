-- Postpones a webhook after a failed try, or gives it up after the last one.
--
-- KEYS[1]  koe:webhooks: jobs whose webhook is due
-- KEYS[2]  koe:webhook:<id>:tries: number of failed tries
-- ARGV[1]  id of the job
-- ARGV[2]  current time, in seconds since 1970
-- ARGV[3]  TTL of the number of tries, in seconds
-- ARGV[4…] seconds between tries
-- Returns  {number of tries, seconds until the next one, or -1 if it is given up}

local n_tries = redis.call('INCR', KEYS[2])
local wait = ARGV[3 + n_tries]
if wait and redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[1], ARGV[2] + wait, ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
  return {n_tries, tonumber(wait)}
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return {n_tries, -1}
