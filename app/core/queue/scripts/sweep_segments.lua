-- Subtracts the segments of tasks that have expired from the sum.
--
-- Uses: functions.lua
-- KEYS     none
-- ARGV     none
-- Returns  nothing
-- Touches  koe:kept, koe:kept:<name>

for _, name in ipairs(redis.call('HKEYS', 'koe:kept')) do
  if name ~= 'total' and redis.call('EXISTS', 'koe:kept:' .. name) == 0 then drop_task_segments(name) end
end
