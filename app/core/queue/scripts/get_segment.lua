-- Finds the audio of a segment. A segment that another task has spoken is cached for this task too: a worker that continues
-- this task needs the same samples, and the shared copy may be deleted by then.
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
-- ARGV[9]  seconds that the segment counts as unused from the start
-- Returns  the audio, or false when it is not there
-- Touches  koe:segment:<name>, koe:segments

local task, digest, attempt, budget, ttl, name, _, shared_ttl, age = unpack(ARGV)
local pcm = redis.call('HGET', KEYS[1], digest)
if pcm or name == '' then return pcm end
pcm = redis.call('GET', 'koe:segment:' .. name)
if not pcm then return false end
redis.call('EXPIRE', 'koe:segment:' .. name, shared_ttl)
redis.call('ZADD', 'koe:segments', 'GT', now_seconds() - age, name)
put_for_task(KEYS[1], task, digest, attempt, budget, ttl, pcm)
return pcm
