-- Caches a segment: for its own task until that is finished, and for every text that has it.
--
-- Uses: functions.lua
-- KEYS[1]  koe:kept:<name>: the segments of the task
-- ARGV[1]  name of the task
-- ARGV[2]  digest of the segment
-- ARGV[3]  the attempt that the task is for, or ''; nothing is cached for an attempt that is over
-- ARGV[4]  most bytes that are cached for all tasks together
-- ARGV[5]  seconds that the segment is cached for the task
-- ARGV[6]  name of the segment for all texts, or '' for none
-- ARGV[7]  most bytes that are cached for all texts
-- ARGV[8]  seconds that the segment is cached for all texts
-- ARGV[9]  seconds that the segment counts as unused from the start, so that segments of jobs are evicted first
-- ARGV[10] the audio
-- Returns  1 when it is cached for the task; 0 when the budget is spent or the attempt is over, though other texts may find it

local task, digest, attempt, budget, ttl, name, shared_budget, shared_ttl, age, pcm = unpack(ARGV)
put_for_all(name, shared_budget, shared_ttl, age, pcm)
return put_for_task(KEYS[1], task, digest, attempt, budget, ttl, pcm)
