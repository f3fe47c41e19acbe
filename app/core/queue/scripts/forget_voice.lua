-- Deletes the cached audio of a voice that its user deletes, also audio that somebody reads now.
--
-- Uses: functions.lua
-- KEYS     none
-- ARGV[1]  id of the voice
-- Returns  number of finished utterances that were deleted
-- Touches  koe:audio:<id>:<take>, koe:cache, koe:segments, koe:utterance:<id>

for _, name in ipairs(redis.call('ZRANGE', 'koe:segments', 0, -1)) do
  if string.find(name, ARGV[1], 1, true) then forget_segment(name) end
end
local n = 0
for _, id in ipairs(redis.call('ZRANGE', 'koe:cache', 0, -1)) do
  local record = 'koe:utterance:' .. id
  local voices, attempt = unpack(redis.call('HMGET', record, 'voices', 'take'))
  if voices and string.find(voices, ARGV[1], 1, true) then
    forget_finished(id)
    redis.call('UNLINK', record, 'koe:audio:' .. id .. ':' .. attempt)
    n = n + 1
  end
end
return n
