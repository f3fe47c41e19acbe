-- Removes one reader from an attempt. Cancels the attempt when it was the last one and the audio is not finished.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- KEYS[3]  rq:queue:<name>: the interactive queue
-- ARGV[1]  the attempt
-- ARGV[2]  id of the utterance
-- ARGV[3]  name of this API process
-- ARGV[4]  most bytes of cached finished audio
-- Returns  1 when this cancelled the attempt, else 0
-- Touches  koe:callers, koe:gone, rq:job:<id>

local state, attempt, ending, trimmed = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'ending', 'trimmed'))
if attempt ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'readers:' .. ARGV[3], -1)
if n_readers(KEYS[1]) > 0 then return 0 end
if trimmed and state == 'finished' then return redis.call('UNLINK', KEYS[1], KEYS[2]) * 0 end
if state == 'finished' then evict_finished(tonumber(ARGV[4])) end
if state == 'finished' or ending then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
drop_task_segments(ARGV[2])
stop_waiting(ARGV[2])
if state == 'queued' then leave_queue(KEYS[3], ARGV[2]) end
count_event('koe_cancelled_total')
redis.call('PUBLISH', 'koe:gone', ARGV[2] .. ':' .. attempt)
return 1
