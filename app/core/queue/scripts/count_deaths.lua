-- Counts the workers that have died: they have sent heartbeats, these have expired, and the worker has not withdrawn.
--
-- Uses: functions.lua
-- KEYS[1]  koe:workers:announced: workers that have sent a heartbeat and have not withdrawn
-- ARGV     none
-- Returns  number of workers that this call has counted
-- Touches  koe:worker:<name>

local n_deaths = 0
for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', 'koe:worker:' .. name) == 0 then
    redis.call('SREM', KEYS[1], name)
    count_event('koe_worker_deaths_total')
    n_deaths = n_deaths + 1
  end
end
return n_deaths
