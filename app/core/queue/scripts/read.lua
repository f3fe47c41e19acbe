-- Records the position of the fastest reader. In a long stream with a single reader the entries that were read are deleted.
-- A finished stream stays whole, because others may request it.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  bytes that the reader has read
-- ARGV[3]  last entry of the stream that it has read
-- ARGV[4]  most bytes that may wait to be read
-- Returns  1 when the attempt was paused and the caller must submit it again, else 0

local state, attempt, read, bytes, lost = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'read', 'bytes', 'trimmed'))
if attempt ~= ARGV[1] then return 0 end
local n_read = math.max(tonumber(read or 0), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'read', n_read)
if state ~= 'finished' and n_read - tonumber(lost or 0) > tonumber(ARGV[4]) and n_readers(KEYS[1]) == 1 then
  if redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3]) > 0 then redis.call('HSET', KEYS[1], 'trimmed', n_read) end
end
if state ~= 'parked' or tonumber(bytes or 0) - n_read > tonumber(ARGV[4]) / 2 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'queued', 'queued', now_ms())
return 1
