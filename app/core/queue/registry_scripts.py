"""The ledger's steps as Lua scripts: each is a decision over several keys that many processes take at once.

Why scripts: that two hundred equal requests cost one synthesis, that the last listener to leave cancels it, that a worker which
was taken for dead cannot write into what another has taken over, and that audio stays within its budgets must each hold
whatever else happens in the same moment.

Readers are counted for each API process, and those of a process without a card do not count: it has died and left nobody.
"""

from typing import Final

_SHARED: Final = """
local function n_readers(record)
  local n = 0
  local fields = redis.call('HGETALL', record)
  for i = 1, #fields, 2 do
    local api = string.match(fields[i], '^readers:(.+)$')
    if api and redis.call('EXISTS', 'koe:api:' .. api) == 1 then n = n + tonumber(fields[i + 1]) end
  end
  return n
end
local function hush(id)
  redis.call('ZREM', 'koe:unheard', id)
end
local function drop_kept(name)
  redis.call('UNLINK', 'koe:kept:' .. name)
  local size = redis.call('HGET', 'koe:kept', name)
  if size then
    redis.call('HDEL', 'koe:kept', name)
    redis.call('HINCRBY', 'koe:kept', 'total', -tonumber(size))
  end
end
local function forget_cached(id)
  redis.call('HINCRBY', 'koe:cache:sizes', 'total', -tonumber(redis.call('HGET', 'koe:cache:sizes', id) or 0))
  redis.call('HDEL', 'koe:cache:sizes', id)
  redis.call('ZREM', 'koe:cache', id)
end
local function evict(budget)
  local total = tonumber(redis.call('HGET', 'koe:cache:sizes', 'total') or 0)
  if total <= budget then return end
  for _, id in ipairs(redis.call('ZRANGE', 'koe:cache', 0, -1)) do
    if total <= budget then break end
    local record = 'koe:utterance:' .. id
    if n_readers(record) == 0 then
      local take = redis.call('HGET', record, 'take')
      total = total - tonumber(redis.call('HGET', 'koe:cache:sizes', id) or 0)
      forget_cached(id)
      if take then redis.call('UNLINK', record, 'koe:audio:' .. id .. ':' .. take) end
    end
  end
end
local function is_held(record, take, claim)
  local held = redis.call('HMGET', record, 'take', 'claim')
  return held[1] == take and held[2] == claim
end
"""

ATTACH: Final = """
-- KEYS: record. ARGV: new take, queued ttl, cache ttl, id, api, ttl of its card, a take whose audio is lost or nothing, most
-- that may wait for their first sound (-1: any number). Returns how it was found, and the take; or 'full' and how many wait.
redis.call('SET', 'koe:api:' .. ARGV[5], 1, 'EX', ARGV[6], 'NX')
local state, take, trimmed = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'trimmed'))
if take and take == ARGV[7] then
  redis.call('UNLINK', 'koe:audio:' .. ARGV[4] .. ':' .. take)
  redis.call('PUBLISH', 'koe:gone', ARGV[4] .. ':' .. take)
  state, trimmed = false, false
end
if trimmed then return {'apart', take} end
if state and state ~= 'finished' then
  redis.call('HINCRBY', KEYS[1], 'readers:' .. ARGV[5], 1)
  return {'join', take}
end
if state == 'finished' and redis.call('EXPIRE', 'koe:audio:' .. ARGV[4] .. ':' .. take, ARGV[3]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'readers:' .. ARGV[5], 1)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('ZADD', 'koe:cache', redis.call('TIME')[1], ARGV[4])
  return {'hit', take}
end
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', 'koe:unheard', '-inf', now - tonumber(ARGV[2]))
if ARGV[7] == '' and tonumber(ARGV[8]) >= 0 then
  local n_unheard = redis.call('ZCARD', 'koe:unheard')
  if n_unheard >= tonumber(ARGV[8]) then return {'full', tostring(n_unheard)} end
end
redis.call('ZADD', 'koe:unheard', now, ARGV[4])
redis.call('EXPIRE', 'koe:unheard', ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'queued', 'take', ARGV[1], 'submitter', ARGV[5], 'readers:' .. ARGV[5], 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {'miss', ARGV[1]}
"""

DETACH: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, id, api, budget. Returns 1 when the utterance is cancelled by this. What is finished stays,
-- within the budget.
local state, take, ending, trimmed = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'ending', 'trimmed'))
if take ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'readers:' .. ARGV[3], -1)
if n_readers(KEYS[1]) > 0 then return 0 end
if trimmed and state == 'finished' then return redis.call('UNLINK', KEYS[1], KEYS[2]) * 0 end
if state == 'finished' then evict(tonumber(ARGV[4])) end
if state == 'finished' or ending then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
drop_kept(ARGV[2])
hush(ARGV[2])
redis.call('PUBLISH', 'koe:gone', ARGV[2] .. ':' .. take)
return 1
"""
)

ABANDON: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, id. Returns 1 when nobody reads any more, and the utterance is cancelled by this.
local state, take, ending = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'ending'))
if take ~= ARGV[1] or state ~= 'parked' then redis.call('SREM', 'koe:parked', ARGV[2] .. ':' .. ARGV[1]) end
if take ~= ARGV[1] or state == 'finished' or ending or n_readers(KEYS[1]) > 0 then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
drop_kept(ARGV[2])
hush(ARGV[2])
redis.call('SREM', 'koe:parked', ARGV[2] .. ':' .. ARGV[1])
redis.call('PUBLISH', 'koe:gone', ARGV[2] .. ':' .. take)
return 1
"""
)

CLAIM: Final = (
    _SHARED
    + """
-- KEYS: record. ARGV: worker, unfinished ttl, id, deaths that are too many, fruitless claims that are too many, attempt: the
-- same again when the answer to a claim was lost.
-- Returns nothing, or: take, claim, bytes there already, milliseconds since the first of them, 1 when it is not tried again.
redis.call('HDEL', 'koe:callers', ARGV[3])
local state, take, worker, attempt = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'worker', 'attempt'))
if state ~= 'queued' and state ~= 'speaking' then return false end
local is_lethal = 0
local is_takeover = state == 'speaking' and attempt ~= ARGV[6]
if is_takeover and redis.call('EXISTS', 'koe:worker:' .. worker) == 1 then
  if redis.call('SISMEMBER', 'koe:hand:' .. worker, attempt or '') == 1 then return false end
  is_takeover = false
end
if worker == ARGV[1] then is_takeover = false end
if is_takeover then
  if tonumber(redis.call('HGET', KEYS[1], 'at_risk') or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'deaths', 1) end
  redis.call('HINCRBY', KEYS[1], 'takeovers', 1)
end
local stream = 'koe:audio:' .. ARGV[3] .. ':' .. take
if n_readers(KEYS[1]) == 0 then
  redis.call('UNLINK', KEYS[1], stream)
  drop_kept(ARGV[3])
  hush(ARGV[3])
  return false
end
local fruitless = redis.call('HINCRBY', KEYS[1], 'fruitless', is_takeover and 1 or 0)
local deaths, bytes, started = unpack(redis.call('HMGET', KEYS[1], 'deaths', 'bytes', 'started'))
if tonumber(deaths or 0) >= tonumber(ARGV[4]) or fruitless >= tonumber(ARGV[5]) then is_lethal = 1 end
redis.call('HSET', KEYS[1], 'state', 'speaking', 'worker', ARGV[1], 'attempt', ARGV[6], 'at_risk', 1)
local claim = redis.call('HINCRBY', KEYS[1], 'claim', 1)
redis.call('SADD', 'koe:hand:' .. ARGV[1], ARGV[6])
redis.call('EXPIRE', 'koe:hand:' .. ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('XADD', stream, '*', 'kind', 'start', 'worker', ARGV[1])
redis.call('EXPIRE', stream, ARGV[2])
redis.call('PUBLISH', 'koe:bell', ARGV[3])
local listening = 0
if started then
  local now = redis.call('TIME')
  listening = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(started)
end
return {take, tostring(claim), tonumber(bytes or 0), listening, is_lethal}
"""
)

APPEND: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, claim, id, offset of the data, data. What is there already is not written again.
-- Returns the bytes that nobody has read yet; -1 when the take is not held any more; -2 when bytes before it are missing.
if not is_held(KEYS[1], ARGV[1], ARGV[2]) then return -1 end
local bytes, read, started = unpack(redis.call('HMGET', KEYS[1], 'bytes', 'read', 'started'))
bytes = tonumber(bytes or 0)
local skipped = bytes - tonumber(ARGV[4])
if skipped < 0 then return -2 end
if skipped < #ARGV[5] then
  local data = skipped > 0 and string.sub(ARGV[5], skipped + 1) or ARGV[5]
  if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'chunk', 'at', bytes, 'data', data) then return -1 end
  bytes = redis.call('HINCRBY', KEYS[1], 'bytes', #data)
  if not started then
    hush(ARGV[3])
    local now = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'started', now[1] * 1000 + math.floor(now[2] / 1000))
  end
  redis.call('PUBLISH', 'koe:bell', ARGV[3])
end
return bytes - tonumber(read or 0)
"""
)

TELL: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, claim, id, how many times words were told before, words (JSON).
-- Returns 1; 0 when they were told already, -1 when the take is not held any more, -2 when words before them are missing.
if not is_held(KEYS[1], ARGV[1], ARGV[2]) then return -1 end
local n_told = tonumber(redis.call('HGET', KEYS[1], 'told') or 0)
if n_told > tonumber(ARGV[4]) then return 0 end
if n_told < tonumber(ARGV[4]) then return -2 end
if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'words', 'words', ARGV[5]) then return -1 end
redis.call('HINCRBY', KEYS[1], 'told', 1)
redis.call('PUBLISH', 'koe:bell', ARGV[3])
return 1
"""
)

READ: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, bytes read, last entry read, most unread bytes.
-- Notes how far the fastest reader is; a long stream of a single reader loses what has been read, unless it is finished and
-- may be asked for again. Returns 1 when the take was parked and is to be submitted again.
local state, take, read, bytes, lost = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'read', 'bytes', 'trimmed'))
if take ~= ARGV[1] then return 0 end
local n_read = math.max(tonumber(read or 0), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'read', n_read)
if state ~= 'finished' and n_read - tonumber(lost or 0) > tonumber(ARGV[4]) and n_readers(KEYS[1]) == 1 then
  if redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3]) > 0 then redis.call('HSET', KEYS[1], 'trimmed', n_read) end
end
if state ~= 'parked' or tonumber(bytes or 0) - n_read > tonumber(ARGV[4]) / 2 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'queued')
return 1
"""
)

LET_GO: Final = (
    _SHARED
    + """
-- KEYS: record. ARGV: take, claim, new state (queued or parked), id. Returns 1 when the take was held.
if not is_held(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'at_risk', 0)
redis.call('HINCRBY', KEYS[1], 'claim', 1)
if ARGV[3] == 'parked' then redis.call('SADD', 'koe:parked', ARGV[4] .. ':' .. ARGV[1]) end
return 1
"""
)

RISK: Final = (
    _SHARED
    + """
-- KEYS: record. ARGV: take, claim, +1 or -1, 1 when a segment was spoken. Counts what could end the process just now.
if not is_held(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HINCRBY', KEYS[1], 'at_risk', ARGV[3])
if ARGV[4] == '1' then
  redis.call('HINCRBY', KEYS[1], 'spoken', 1)
  redis.call('HDEL', KEYS[1], 'deaths', 'fruitless')
end
return 1
"""
)

LOOK: Final = """
-- KEYS: record, stream. ARGV: take. Returns the state, or nothing when the take is over; whether its worker has a card and the
-- take in hand; whether the process that submitted it has a card.
local state, take, worker, submitter, attempt =
  unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'worker', 'submitter', 'attempt'))
if take ~= ARGV[1] then return false end
if state ~= 'queued' and redis.call('EXISTS', KEYS[2]) == 0 then return false end
local has_worker = redis.call('EXISTS', 'koe:worker:' .. (worker or ''))
if has_worker == 1 then has_worker = redis.call('SISMEMBER', 'koe:hand:' .. worker, attempt or '') end
return {state, has_worker, redis.call('EXISTS', 'koe:api:' .. (submitter or ''))}
"""

NEVER_REUSE: Final = (
    _SHARED
    + """
-- KEYS: record. ARGV: take, claim. Returns 1 when the take is held: only those who read it now hear it, as if it had lost its
-- beginning.
if not is_held(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSETNX', KEYS[1], 'trimmed', 0)
return 1
"""
)

FINISH: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, claim, id, ttl, budget, report (JSON).
-- Returns how many segments were spoken for it, or -1 when the take is not held any more. What has lost its beginning is not
-- asked for again; what is being read is never evicted.
if not is_held(KEYS[1], ARGV[1], ARGV[2]) then return -1 end
local state, spoken = unpack(redis.call('HMGET', KEYS[1], 'state', 'spoken'))
spoken = tonumber(spoken or 0)
if state == 'finished' then return spoken end
if not redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'stop', 'report', ARGV[6]) then return -1 end
redis.call('PUBLISH', 'koe:bell', ARGV[3])
redis.call('HSET', KEYS[1], 'state', 'finished')
drop_kept(ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
if redis.call('HEXISTS', KEYS[1], 'trimmed') == 1 then return spoken end
local now = tonumber(redis.call('TIME')[1])
forget_cached(ARGV[3])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'koe:cache', '-inf', now - tonumber(ARGV[4]))) do forget_cached(id) end
local bytes = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
redis.call('ZADD', 'koe:cache', now, ARGV[3])
redis.call('HSET', 'koe:cache:sizes', ARGV[3], bytes)
redis.call('HINCRBY', 'koe:cache:sizes', 'total', bytes)
evict(tonumber(ARGV[5]))
return spoken
"""
)

FAIL: Final = (
    _SHARED
    + """
-- KEYS: record, stream. ARGV: take, claim or nothing, id, ttl, code, message, param. The record goes: asking again begins anew,
-- and finds for a while the segments that were kept.
local is_current = redis.call('HGET', KEYS[1], 'take') == ARGV[1]
if ARGV[2] ~= '' and not is_held(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
if not is_current and redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'kind', 'error', 'code', ARGV[5], 'message', ARGV[6], 'param', ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[4])
if is_current then
  hush(ARGV[3])
  redis.call('DEL', KEYS[1])
  redis.call('EXPIRE', 'koe:kept:' .. ARGV[3], ARGV[4])
end
redis.call('PUBLISH', 'koe:bell', ARGV[3])
return 1
"""
)

PUT_OFF: Final = """
-- KEYS: record, stream. ARGV: ttl. What is finished is kept while it is read, however slowly.
for _, key in ipairs(KEYS) do
  local left = redis.call('TTL', key)
  if left >= 0 and left < tonumber(ARGV[1]) then redis.call('EXPIRE', key, ARGV[1]) end
end
"""

ENDING: Final = (
    _SHARED
    + """
-- KEYS: record. ARGV: take, claim.
if is_held(KEYS[1], ARGV[1], ARGV[2]) then redis.call('HSET', KEYS[1], 'ending', 1) end
"""
)

_SEGMENTS: Final = """
-- ARGV of both scripts: the order's name, digest, the take that it is for or nothing, budget, ttl; name of the segment or
-- nothing, budget, ttl, and how many seconds older than it is it counts.
local function keep(sound)
  local order, digest, wanted, budget, ttl = unpack(ARGV)
  if wanted ~= '' then
    local state, take = unpack(redis.call('HMGET', 'koe:utterance:' .. order, 'state', 'take'))
    if take ~= wanted or state == 'finished' then return 0 end
  end
  if redis.call('HEXISTS', KEYS[1], digest) == 1 then return 1 end
  if tonumber(redis.call('HGET', 'koe:kept', 'total') or 0) + #sound > tonumber(budget) then return 0 end
  redis.call('HSET', KEYS[1], digest, sound)
  redis.call('EXPIRE', KEYS[1], ttl)
  redis.call('HINCRBY', 'koe:kept', order, #sound)
  redis.call('HINCRBY', 'koe:kept', 'total', #sound)
  return 1
end
local function now_seconds()
  local now = redis.call('TIME')
  return now[1] + now[2] / 1000000
end
local function forget_segment(name)
  redis.call('UNLINK', 'koe:segment:' .. name)
  redis.call('HINCRBY', 'koe:segments:sizes', 'total', -tonumber(redis.call('HGET', 'koe:segments:sizes', name) or 0))
  redis.call('HDEL', 'koe:segments:sizes', name)
  redis.call('ZREM', 'koe:segments', name)
end
local function share(sound)
  local _, _, _, _, _, name, budget, ttl, aged = unpack(ARGV)
  if name == '' or #sound > tonumber(budget) then return end
  local now = now_seconds()
  forget_segment(name)
  redis.call('SET', 'koe:segment:' .. name, sound, 'EX', ttl)
  redis.call('ZADD', 'koe:segments', now - aged, name)
  redis.call('HSET', 'koe:segments:sizes', name, #sound)
  redis.call('HINCRBY', 'koe:segments:sizes', 'total', #sound)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', 'koe:segments', '-inf', now - ttl)) do forget_segment(old) end
  while tonumber(redis.call('HGET', 'koe:segments:sizes', 'total')) > tonumber(budget) do
    local oldest = redis.call('ZRANGE', 'koe:segments', 0, 0)[1]
    if not oldest then break end
    forget_segment(oldest)
  end
end
"""

KEEP: Final = (
    _SEGMENTS
    + """
-- KEYS: the kept segments of the order. ARGV: as above, and the sound.
-- Returns 1 when it is kept for the order: 0 when the budget is spent, or the take is over. Others may find it all the same.
share(ARGV[10])
return keep(ARGV[10])
"""
)

FIND: Final = (
    _SEGMENTS
    + """
-- KEYS: the kept segments of the order. ARGV: as above. Returns the sound, or nothing.
-- What was spoken for another order is kept for this one too: whoever goes on with it must join the very same samples, and by
-- then they may have been forgotten.
local sound = redis.call('HGET', KEYS[1], ARGV[2])
if sound or ARGV[6] == '' then return sound end
sound = redis.call('GET', 'koe:segment:' .. ARGV[6])
if not sound then return false end
redis.call('EXPIRE', 'koe:segment:' .. ARGV[6], ARGV[8])
redis.call('ZADD', 'koe:segments', 'GT', now_seconds() - ARGV[9], ARGV[6])
keep(sound)
return sound
"""
)

DROP: Final = (
    _SHARED
    + """
-- ARGV: name of an order. Forgets what was kept for it.
drop_kept(ARGV[1])
"""
)

SWEEP: Final = (
    _SHARED
    + """
-- Takes out of the account what has expired.
for _, name in ipairs(redis.call('HKEYS', 'koe:kept')) do
  if name ~= 'total' and redis.call('EXISTS', 'koe:kept:' .. name) == 0 then drop_kept(name) end
end
"""
)

TAKE_TURN: Final = """
-- KEYS: a lane's queue, who asked for what waits in it. ARGV: id of a job that was put at its end, its caller.
-- Moves it forward so that callers take turns: nobody's second job stands before anybody's first.
local callers, n_mine, stands = {}, 0, false
for place, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if id == ARGV[1] then stands = true break end
  callers[place] = {id, redis.call('HGET', KEYS[2], id) or ''}
  if callers[place][2] == ARGV[2] then n_mine = n_mine + 1 end
end
if not stands then return end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local rounds = {}
for _, entry in ipairs(callers) do
  local id, caller = entry[1], entry[2]
  local round = rounds[caller] or 0
  if caller ~= ARGV[2] and round > n_mine then
    redis.call('LREM', KEYS[1], -1, ARGV[1])
    redis.call('LINSERT', KEYS[1], 'BEFORE', id, ARGV[1])
    return
  end
  rounds[caller] = round + 1
end
"""

LANE_TURNS: Final = """
-- KEYS: the batch lane's queue, that it was done lately. ARGV: milliseconds until it is done again, or 0 to do it in any case.
-- Puts the lane into turns by the owners of its jobs, each owner's own order kept: RQ puts what waited for something else, or
-- comes back, to the end of the lane, behind all of whoever has many.
if redis.call('LLEN', KEYS[1]) < 3 then return 0 end
if tonumber(ARGV[1]) > 0 and not redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[1]) then return 0 end
local ids, owners, rounds, turns = redis.call('LRANGE', KEYS[1], 0, -1), {}, {}, {}
for place, id in ipairs(ids) do
  local job = string.match(id, '^(.-)%-%a') or id
  if owners[job] == nil then owners[job] = redis.call('HGET', 'koe:job:' .. job, 'owner') or '' end
  local owner = owners[job]
  rounds[owner] = (rounds[owner] or 0) + 1
  turns[place] = {id = id, round = rounds[owner], place = place}
end
table.sort(turns, function(one, other)
  if one.round ~= other.round then return one.round < other.round end
  return one.place < other.place
end)
local has_changed = false
for place, turn in ipairs(turns) do has_changed = has_changed or turn.place ~= place end
if not has_changed then return 0 end
redis.call('DEL', KEYS[1])
for first = 1, #turns, 1000 do
  local some = {}
  for place = first, math.min(first + 999, #turns) do some[#some + 1] = turns[place].id end
  redis.call('RPUSH', KEYS[1], unpack(some))
end
return 1
"""
