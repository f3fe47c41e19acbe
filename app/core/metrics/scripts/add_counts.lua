-- Adds the counts of one worker to those of the fleet. A batch whose answer was lost may be sent again: it is added once.
--
-- KEYS[1]  koe:metrics: the counts of the fleet
-- KEYS[2]  koe:metrics:<name>: number of the worker's last batch
-- ARGV[1]  number of this batch; larger than all before
-- ARGV[2]  seconds after which the number of the last batch is forgotten
-- ARGV[3…] names of counts, each followed by the number to add
-- Returns  1, or 0 when the batch was added before

if tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[1]) then return 0 end
local now = redis.call('TIME')
redis.call('HSETNX', KEYS[1], 'since', now[1] .. '.' .. now[2])
for i = 3, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
