-- Estimates the seconds of audio that wait for a worker: of utterances in the queue, and of jobs that have not ended.
--
-- KEYS[1]  rq:queue:<name>: the interactive queue
-- KEYS[2]  koe:jobs:open: jobs that have not ended
-- ARGV[1]  most entries of each that are looked at
-- ARGV[2]  estimated seconds of audio for each byte of a job's text
-- Returns  {seconds of the queue, seconds of the jobs}, as strings
-- Touches  koe:job:<id>, koe:job:<id>:text, koe:utterance:<id>

local queued, jobs = 0, 0
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)) do
  queued = queued + tonumber(redis.call('HGET', 'koe:utterance:' .. id, 'expected') or 0)
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, ARGV[1] - 1)) do
  local total, done, seconds =
    unpack(redis.call('HMGET', 'koe:job:' .. id, 'segments_total', 'segments_done', 'audio_seconds'))
  local n_total, n_done = tonumber(total or 0), tonumber(done or 0)
  if n_done > 0 then
    jobs = jobs + math.max(0, n_total - n_done) * tonumber(seconds or 0) / n_done
  else
    jobs = jobs + redis.call('STRLEN', 'koe:job:' .. id .. ':text') * ARGV[2]
  end
end
return {tostring(queued), tostring(jobs)}
