-- Lists an owner's jobs, the newest first.
--
-- KEYS[1]  koe:jobs:of:<owner>: the owner's jobs
-- ARGV[1]  id of the job after which the list begins, or '' for the newest
-- ARGV[2]  most ids in the list
-- Returns  the ids; false when the owner has no job with the id ARGV[1]

local first = 0
if ARGV[1] ~= '' then
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
  if not rank then return false end
  first = rank + 1
end
return redis.call('ZREVRANGE', KEYS[1], first, first + ARGV[2] - 1)
