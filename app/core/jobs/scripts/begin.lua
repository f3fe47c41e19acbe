-- Sets a queued job in progress.
--
-- KEYS[1]  koe:job:<id>: the record
-- ARGV[1]  id of the job
-- ARGV[2]  channel on which changes of jobs are published
-- Returns  1 when the job is in progress now; 0 when it has ended or is unknown

local status = redis.call('HGET', KEYS[1], 'status')
if status == 'in_progress' then return 1 end
if status ~= 'queued' then return 0 end
redis.call('HSET', KEYS[1], 'status', 'in_progress', 'started_at', redis.call('TIME')[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
