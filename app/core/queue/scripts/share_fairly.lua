-- Moves a new task forward in its queue so that owners alternate: no owner's second task is before another owner's first.
--
-- KEYS[1]  rq:queue:<name>: the queue, whose last entry is the new task
-- KEYS[2]  koe:callers: owners of the tasks that wait
-- ARGV[1]  id of the new task
-- ARGV[2]  its owner
-- Returns  nothing

local waiting, n_own, is_there = {}, 0, false
for place, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if id == ARGV[1] then is_there = true break end
  waiting[place] = {id, redis.call('HGET', KEYS[2], id) or ''}
  if waiting[place][2] == ARGV[2] then n_own = n_own + 1 end
end
if not is_there then return end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local rounds = {}
for _, entry in ipairs(waiting) do
  local id, owner = entry[1], entry[2]
  local round = rounds[owner] or 0
  if owner ~= ARGV[2] and round > n_own then
    redis.call('LREM', KEYS[1], -1, ARGV[1])
    redis.call('LINSERT', KEYS[1], 'BEFORE', id, ARGV[1])
    return
  end
  rounds[owner] = round + 1
end
