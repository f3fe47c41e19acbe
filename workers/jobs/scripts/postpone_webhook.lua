-- Postpones a webhook after a try that failed, or gives it up after the last one.
--
-- KEYS[1]  koe:webhooks: jobs whose webhook is due
-- KEYS[2]  koe:webhook:<id>:tries: tries that failed
-- ARGV[1]  id of the job
-- ARGV[2]  the time now, in seconds since 1970
-- ARGV[3]  seconds that the number of tries is kept
-- ARGV[4…] seconds from each try to the next
-- Returns  {how many tries there were, seconds until the next one or -1 when it is given up}

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
