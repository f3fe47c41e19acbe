-- Functions that several scripts use. The loader puts this file before each script whose header names it.

-- Counts an event for the metrics of the fleet.
local function count_event(name)
  redis.call('HINCRBY', 'koe:metrics', name, 1)
end

-- Counts the readers of an utterance. Each API process has its own count; the readers of a dead process do not count.
local function n_readers(record)
  local n = 0
  local fields = redis.call('HGETALL', record)
  for i = 1, #fields, 2 do
    local api = string.match(fields[i], '^readers:(.+)$')
    if api and redis.call('EXISTS', 'koe:api:' .. api) == 1 then n = n + tonumber(fields[i + 1]) end
  end
  return n
end

-- Says whether a worker still holds the lease: the attempt is the current one and the fencing token is the latest.
local function holds_lease(record, attempt, token)
  local held = redis.call('HMGET', record, 'take', 'claim')
  return held[1] == attempt and held[2] == token
end

-- Removes an utterance from the set of utterances that wait for their first audio.
local function stop_waiting(id)
  redis.call('ZREM', 'koe:unheard', id)
end

-- Removes the message of an unwanted utterance from RQ's queue. One that a worker has just taken stays, and gets no lease.
local function leave_queue(queue, id)
  if redis.call('LREM', queue, 1, id) == 0 then return end
  redis.call('UNLINK', 'rq:job:' .. id)
  redis.call('HDEL', 'koe:callers', id)
end

-- Counts the utterances that get their first audio before one more request of `owner`; with `id`, before that utterance.
-- Owners take turns, and each owner's own requests come in order of their arrival.
local function n_before(owner, id)
  local rank = id and redis.call('ZRANK', 'koe:unheard', id) or redis.call('ZCARD', 'koe:unheard')
  if owner == '' then return rank end
  local n_own, others, is_later = 0, {}, false
  for _, other in ipairs(redis.call('ZRANGE', 'koe:unheard', 0, -1)) do
    local name = redis.call('HGET', 'koe:utterance:' .. other, 'owner') or ''
    is_later = is_later or other == id
    if name ~= owner then others[name] = (others[name] or 0) + 1
    elseif not is_later then n_own = n_own + 1 end
  end
  local n = n_own
  for _, n_other in pairs(others) do n = n + math.min(n_other, n_own + 1) end
  return math.min(rank, n)
end

-- Deletes the segments that are cached for one task, and subtracts them from the sum.
local function drop_task_segments(name)
  redis.call('UNLINK', 'koe:kept:' .. name)
  local size = redis.call('HGET', 'koe:kept', name)
  if size then
    redis.call('HDEL', 'koe:kept', name)
    redis.call('HINCRBY', 'koe:kept', 'total', -tonumber(size))
  end
end

-- Removes a finished utterance from the cache's list and sizes; its audio stays.
local function forget_finished(id)
  redis.call('HINCRBY', 'koe:cache:sizes', 'total', -tonumber(redis.call('HGET', 'koe:cache:sizes', id) or 0))
  redis.call('HDEL', 'koe:cache:sizes', id)
  redis.call('ZREM', 'koe:cache', id)
end

-- Deletes finished utterances, the longest unused first, until the cache is within its budget. Utterances with readers stay.
local function evict_finished(budget)
  local total = tonumber(redis.call('HGET', 'koe:cache:sizes', 'total') or 0)
  if total <= budget then return end
  for _, id in ipairs(redis.call('ZRANGE', 'koe:cache', 0, -1)) do
    if total <= budget then break end
    local record = 'koe:utterance:' .. id
    if n_readers(record) == 0 then
      local attempt = redis.call('HGET', record, 'take')
      total = total - tonumber(redis.call('HGET', 'koe:cache:sizes', id) or 0)
      forget_finished(id)
      count_event('koe_evictions_total{kind="audio"}')
      if attempt then redis.call('UNLINK', record, 'koe:audio:' .. id .. ':' .. attempt) end
    end
  end
end

-- Returns the time of Redis in seconds since 1970, with fractions.
local function now_seconds()
  local now = redis.call('TIME')
  return now[1] + now[2] / 1000000
end

-- Returns the time of Redis in whole milliseconds since 1970.
local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- Caches a segment for its own task. Returns 1; 0 when the budget is spent or the attempt is over.
local function put_for_task(segments, task, digest, attempt_wanted, budget, ttl, pcm)
  if attempt_wanted ~= '' then
    local state, attempt = unpack(redis.call('HMGET', 'koe:utterance:' .. task, 'state', 'take'))
    if attempt ~= attempt_wanted or state == 'finished' then return 0 end
  end
  if redis.call('HEXISTS', segments, digest) == 1 then return 1 end
  if tonumber(redis.call('HGET', 'koe:kept', 'total') or 0) + #pcm > tonumber(budget) then return 0 end
  redis.call('HSET', segments, digest, pcm)
  redis.call('EXPIRE', segments, ttl)
  redis.call('HINCRBY', 'koe:kept', task, #pcm)
  redis.call('HINCRBY', 'koe:kept', 'total', #pcm)
  return 1
end

-- Deletes a segment that is cached for all, and subtracts it from the sum.
local function forget_segment(name)
  redis.call('UNLINK', 'koe:segment:' .. name)
  redis.call('HINCRBY', 'koe:segments:sizes', 'total', -tonumber(redis.call('HGET', 'koe:segments:sizes', name) or 0))
  redis.call('HDEL', 'koe:segments:sizes', name)
  redis.call('ZREM', 'koe:segments', name)
end

-- Says whether all voices exist that users have made and that the text names by their ids.
local function has_voices(names)
  for id in string.gmatch(names, 'voice_%x+') do
    if redis.call('EXISTS', 'koe:voice:' .. id) == 0 then return false end
  end
  return true
end

-- Caches a segment for every text that has it; the longest unused segments make room. An empty name caches nothing.
local function put_for_all(name, budget, ttl, age, pcm)
  if name == '' or #pcm > tonumber(budget) then return end
  if not has_voices(name) then return end -- A user has deleted the voice meanwhile.
  local now = now_seconds()
  forget_segment(name)
  redis.call('SET', 'koe:segment:' .. name, pcm, 'EX', ttl)
  redis.call('ZADD', 'koe:segments', now - age, name)
  redis.call('HSET', 'koe:segments:sizes', name, #pcm)
  redis.call('HINCRBY', 'koe:segments:sizes', 'total', #pcm)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', 'koe:segments', '-inf', now - ttl)) do forget_segment(old) end
  while tonumber(redis.call('HGET', 'koe:segments:sizes', 'total')) > tonumber(budget) do
    local oldest = redis.call('ZRANGE', 'koe:segments', 0, 0)[1]
    if not oldest then break end
    forget_segment(oldest)
    count_event('koe_evictions_total{kind="segment"}')
  end
end

