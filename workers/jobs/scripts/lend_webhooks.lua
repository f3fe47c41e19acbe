-- Lends due webhooks to one sender. A webhook whose owner or host is busy is postponed by a second, so that others come first.
--
-- KEYS[1]  koe:webhooks: jobs whose webhook is due
-- ARGV[1]  most webhooks to lend
-- ARGV[2]  seconds until a lent webhook is due again
-- ARGV[3]  most webhooks of one owner at a time
-- ARGV[4]  most webhooks of one host at a time
-- Returns  ids of the jobs whose webhooks are lent
-- Touches  koe:job:<id>, koe:webhooks:with:<owner>, koe:webhooks:at:<host>

local time = redis.call('TIME')
local now, lent = time[1] + time[2] / 1000000, {}
local function is_full(key, most)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  return redis.call('ZCARD', key) >= tonumber(most)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 5000)) do
  if #lent >= tonumber(ARGV[1]) then break end
  local owner, host = unpack(redis.call('HMGET', 'koe:job:' .. id, 'owner', 'webhook_host'))
  local of_owner, of_host = 'koe:webhooks:with:' .. (owner or ''), 'koe:webhooks:at:' .. (host or '')
  if is_full(of_owner, ARGV[3]) or is_full(of_host, ARGV[4]) then
    redis.call('ZADD', KEYS[1], now + 1, id)
  else
    for _, key in ipairs({KEYS[1], of_owner, of_host}) do redis.call('ZADD', key, now + ARGV[2], id) end
    redis.call('EXPIRE', of_owner, ARGV[2])
    redis.call('EXPIRE', of_host, ARGV[2])
    lent[#lent + 1] = id
  end
end
return lent
