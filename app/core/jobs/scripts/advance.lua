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
-- The speed of the job is measured from one call to the next, in the fields pace_at, pace_segments and pace_seconds.
-- Returns  1, or 0 when the job has ended or the part was finished before

local MAX_GAP_SECONDS = 30     -- a longer gap is not time in which the job was spoken
local HALF_LIFE_SECONDS = 300  -- segments of this age count half

local function measure(done)
  local time = redis.call('TIME')
  local now = time[1] + time[2] / 1000000
  local before = redis.call('HMGET', KEYS[1], 'segments_done', 'pace_at', 'pace_segments', 'pace_seconds')
  local segments, seconds = 0, 0
  if before[2] then
    local gap = math.min(MAX_GAP_SECONDS, math.max(0, now - tonumber(before[2])))
    local share = 0.5 ^ (gap / HALF_LIFE_SECONDS)
    segments = tonumber(before[3]) * share + done - tonumber(before[1])
    seconds = tonumber(before[4]) * share + gap
  end
  redis.call('HSET', KEYS[1], 'pace_at', string.format('%.3f', now), 'pace_segments', string.format('%.3f', segments),
    'pace_seconds', string.format('%.3f', seconds))
end

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
measure(done)
redis.call('HSET', KEYS[1], 'parts_done', redis.call('HLEN', KEYS[3]))
redis.call('HSET', KEYS[1], 'segments_total', total, 'segments_done', done, 'audio_seconds', string.format('%.3f', seconds))
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
