-- Counts a failure of a part of a job, or a start.
--
-- KEYS[1]  koe:job:<id>: the record
-- KEYS[2]  koe:job:<id>:attempts: failures and starts of each part
-- ARGV[1]  what is counted: a part's number for its failures, 0 for those of planning and joining, -number for its starts
-- Returns  the new count; 0 when the job is not in progress

if redis.call('HGET', KEYS[1], 'status') ~= 'in_progress' then return 0 end
return redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
