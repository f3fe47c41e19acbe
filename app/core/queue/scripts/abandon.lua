-- Cancels an attempt that nobody reads any more because the API processes of its readers have died.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  id of the utterance
-- Returns  1 when this cancelled the attempt, else 0
-- Touches  koe:gone, koe:parked

local state, attempt, ending = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'ending'))
if attempt ~= ARGV[1] or state ~= 'parked' then redis.call('SREM', 'koe:parked', ARGV[2] .. ':' .. ARGV[1]) end
if attempt ~= ARGV[1] or state == 'finished' or ending or n_readers(KEYS[1]) > 0 then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
drop_task_segments(ARGV[2])
stop_waiting(ARGV[2])
redis.call('SREM', 'koe:parked', ARGV[2] .. ':' .. ARGV[1])
count_event('koe_cancelled_total')
redis.call('PUBLISH', 'koe:gone', ARGV[2] .. ':' .. attempt)
return 1
