-- Stores the plan of a job. The first plan wins.
--
-- KEYS[1]  koe:job:<id>: the record
-- KEYS[2]  koe:job:<id>:plan: the plan
-- KEYS[3]  koe:job:<id>:progress: the progress of each part
-- ARGV[1]  id of the job
-- ARGV[2]  channel on which changes of jobs are published
-- ARGV[3]  the plan (JSON)
-- ARGV[4…] expected number of segments of each part, in order
-- Returns  the plan that is stored; false when the job has ended

local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'queued' and status ~= 'in_progress' then return false end
if redis.call('SETNX', KEYS[2], ARGV[3]) == 1 then
  local total = 0
  for i = 4, #ARGV do
    redis.call('HSET', KEYS[3], i - 3, ARGV[i] .. ' 0 0')
    total = total + tonumber(ARGV[i])
  end
  redis.call('HSET', KEYS[1], 'segments_total', total, 'parts_total', #ARGV - 3)
  redis.call('PUBLISH', ARGV[2], ARGV[1])
end
return redis.call('GET', KEYS[2])
