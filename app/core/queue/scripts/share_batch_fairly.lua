-- Sorts the batch queue so that the owners of its jobs alternate. Each owner's own order stays. RQ appends tasks that waited
-- for another task, or that are tried again, to the end: after all tasks of an owner who has many.
--
-- KEYS[1]  rq:queue:<name>: the batch queue
-- KEYS[2]  koe:jobs:turns: set when it was sorted just now
-- ARGV[1]  milliseconds until it may be sorted again; 0 sorts it in any case
-- Returns  1 when the queue was changed, else 0
-- Touches  koe:job:<id>

if redis.call('LLEN', KEYS[1]) < 3 then return 0 end
if tonumber(ARGV[1]) > 0 and not redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[1]) then return 0 end
local ids, owners, rounds, tasks = redis.call('LRANGE', KEYS[1], 0, -1), {}, {}, {}
for place, id in ipairs(ids) do
  local job = string.match(id, '^(.-)%-%a') or id
  if owners[job] == nil then owners[job] = redis.call('HGET', 'koe:job:' .. job, 'owner') or '' end
  local owner = owners[job]
  rounds[owner] = (rounds[owner] or 0) + 1
  tasks[place] = {id = id, round = rounds[owner], place = place}
end
table.sort(tasks, function(one, other)
  if one.round ~= other.round then return one.round < other.round end
  return one.place < other.place
end)
local has_changed = false
for place, task in ipairs(tasks) do has_changed = has_changed or task.place ~= place end
if not has_changed then return 0 end
redis.call('DEL', KEYS[1])
for first = 1, #tasks, 1000 do
  local some = {}
  for place = first, math.min(first + 999, #tasks) do some[#some + 1] = tasks[place].id end
  redis.call('RPUSH', KEYS[1], unpack(some))
end
return 1
