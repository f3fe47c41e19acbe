-- Records the progress of a part, or its result when it is finished, and updates the totals of the job.
--
-- KEYS[1]  koe:job:<id>: the record
-- KEYS[2]  koe:job:<id>:progress: the progress of each part
-- KEYS[3]  koe:job:<id>:results: the results of the finished parts
-- ARGV[1]  id of the job
-- ARGV[2]  channel on which changes of jobs are published
-- ARGV[3]  number of the part
-- ARGV[4]  number of its segments that are spoken
-- ARGV[5]  seconds of its audio so far
-- ARGV[6]  its result (JSON), or '' while it is not finished
-- Returns  1, or 0 when the job has ended or the part was finished before

if redis.call('HGET', KEYS[1], 'status') ~= 'in_progress' then return 0 end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[6])
elseif redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 then
  return 0
end
local expected = ARGV[4]
if ARGV[6] == '' then
  local before = redis.call('HGET', KEYS[2], ARGV[3])
  local planned = before and tonumber(string.match(before, '^%d+')) or 0
  expected = string.format('%d', math.max(planned, tonumber(ARGV[4])))
end
redis.call('HSET', KEYS[2], ARGV[3], expected .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
local total, done, seconds = 0, 0, 0
for _, numbers in ipairs(redis.call('HVALS', KEYS[2])) do
  local e, d, s = string.match(numbers, '^(%S+) (%S+) (%S+)$')
  total, done, seconds = total + tonumber(e), done + tonumber(d), seconds + tonumber(s)
end
redis.call('HSET', KEYS[1], 'segments_total', total, 'segments_done', done, 'audio_seconds', string.format('%.3f', seconds))
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
