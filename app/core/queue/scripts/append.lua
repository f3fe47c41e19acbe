-- Appends audio to the stream of an attempt. Bytes that the stream already has are not written again.
--
-- Uses: functions.lua
-- KEYS[1]  koe:utterance:<id>: the record
-- KEYS[2]  koe:audio:<id>:<take>: the stream of the attempt
-- ARGV[1]  the attempt
-- ARGV[2]  fencing token of the lease
-- ARGV[3]  id of the utterance
-- ARGV[4]  offset of the audio in the stream, in bytes
-- ARGV[5]  the audio
-- Returns  bytes that nobody has read yet; -1 when the lease is stale, -2 when bytes before the audio are missing
-- Touches  koe:bell

if not holds_lease(KEYS[1], ARGV[1], ARGV[2]) then return -1 end
local bytes, read, started = unpack(redis.call('HMGET', KEYS[1], 'bytes', 'read', 'started'))
bytes = tonumber(bytes or 0)
local skipped = bytes - tonumber(ARGV[4])
if skipped < 0 then return -2 end
if skipped < #ARGV[5] then
  local data = skipped > 0 and string.sub(ARGV[5], skipped + 1) or ARGV[5]
  if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'chunk', 'at', bytes, 'data', data) then return -1 end
  bytes = redis.call('HINCRBY', KEYS[1], 'bytes', #data)
  if not started then
    stop_waiting(ARGV[3])
    redis.call('HSET', KEYS[1], 'started', now_ms())
  end
  redis.call('PUBLISH', 'koe:bell', ARGV[3])
end
return bytes - tonumber(read or 0)
