"""The store's atomic steps as Lua for Redis 6.2 and later.

Redis' own clock is the only one that decides; times are milliseconds since the epoch.
A place in the queue that is only reserved lies in the same sorted set as the waiting jobs,
behind all of them: its score is its expiry plus RESERVED.
"""

RESERVED = 10**14

_NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""

_LET_SOURCE_GO = """
local function let_source_go(source, users, retained, id, ttl)
  redis.call('SREM', users, id)
  if redis.call('SCARD', users) > 0 then return end
  if ttl > 0 and redis.call('EXPIRE', source, ttl) == 1 then
    redis.call('ZREMRANGEBYSCORE', retained, 0, now - ttl * 1000)
    redis.call('ZADD', retained, now, source)
  elseif ttl <= 0 then
    redis.call('DEL', source)
    redis.call('ZREM', retained, source)
  end
end
"""

BOUNDS = ("0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60")
"""Upper bounds, in seconds, of the buckets in which waits and runs are counted."""

_TALLY = f"""
local function tally(counts, what, seconds)
  local bucket = '+Inf'
  for _, bound in ipairs({{{", ".join(f"'{bound}'" for bound in BOUNDS)}}}) do
    if seconds <= tonumber(bound) then bucket = bound break end
  end
  redis.call('HINCRBY', counts, what .. ':' .. bucket, 1)
  redis.call('HINCRBYFLOAT', counts, what .. ':sum', seconds)
end
"""

RESERVE = (
    _NOW
    + f"""
-- KEYS pending, pending of this owner, pending of each other owner; ARGV member, cap, seconds
for i = 1, #KEYS do redis.call('ZREMRANGEBYSCORE', KEYS[i], {RESERVED}, {RESERVED} + now) end
local cap, waiting = tonumber(ARGV[2]), redis.call('ZCARD', KEYS[1])
if waiting >= cap then return {{0, now, waiting}} end
local owners, own = 1, redis.call('ZCARD', KEYS[2])
for i = 3, #KEYS do
  if redis.call('ZCARD', KEYS[i]) > 0 then owners = owners + 1 end
end
-- one place is kept for each owner that has nothing waiting, so that no flood keeps it out
if own > 0 and waiting >= cap - (#KEYS - 1 - owners) then return {{0, now, waiting}} end
if owners > 1 and own >= math.max(1, math.floor(cap / owners)) then return {{0, now, own}} end
local score = {RESERVED} + now + ARGV[3] * 1000
redis.call('ZADD', KEYS[1], score, ARGV[1])
redis.call('ZADD', KEYS[2], score, ARGV[1])
return {{1, now, waiting}}
"""
)

RELEASE = f"""
-- KEYS pending, pending of the owner; ARGV member: a place that a job took meanwhile stays taken
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) < {RESERVED} then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""

BEGIN = (
    _NOW
    + """
-- KEYS record, pending, pending of the owner, running; ARGV member, most runs
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return {'over'} end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('HINCRBY', KEYS[1], 'runs', 1) > tonumber(ARGV[2]) then return {'spent'} end
redis.call('HSET', KEYS[1], 'state', 'running')
redis.call('ZADD', KEYS[4], now, ARGV[1])
if redis.call('HGET', KEYS[1], 'stage') == 'queued' then
  redis.call('HSET', KEYS[1], 'stage', 'decoding')
end
redis.call('HSETNX', KEYS[1], 'started', now)
return {'go', unpack(redis.call('HMGET', KEYS[1],
  'request', 'source', 'source_home', 'created', 'started', 'trace'))}
"""
)

PROGRESS = """
-- KEYS record; ARGV progress, stage, channel, message
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
if tonumber(ARGV[1]) < tonumber(redis.call('HGET', KEYS[1], 'progress')) then return 1 end
redis.call('HSET', KEYS[1], 'progress', ARGV[1], 'stage', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
"""

FINISH = (
    _NOW
    + _LET_SOURCE_GO
    + _TALLY
    + """
-- KEYS record, results, source, users, retained, pending, pending of the owner, same, pace,
--      running, counts
-- ARGV id, member, state, outputs, error, result ttl, source ttl, same ttl, channel, message,
--      field, bytes ...
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
local ttl = tonumber(ARGV[6])
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'ended', now, 'expires', now + ttl * 1000)
if ARGV[3] == 'done' then
  redis.call('HSET', KEYS[1], 'progress', 1, 'stage', 'done')
  local source = redis.call('HGET', KEYS[1], 'source')
  local source_home = redis.call('HGET', KEYS[1], 'source_home')
  redis.call('HSET', KEYS[2], 'source', source, 'source_home', source_home, 'outputs', ARGV[4])
  for i = 11, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
  redis.call('EXPIRE', KEYS[2], ttl)
  if tonumber(ARGV[8]) > 0 then redis.call('SET', KEYS[8], ARGV[1], 'EX', ARGV[8]) end
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'outputs', ARGV[4]) end
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[5]) end
redis.call('EXPIRE', KEYS[1], ttl)
local once = redis.call('HGET', KEYS[1], 'once')
if once then redis.call('EXPIRE', once, ttl) end
redis.call('ZREM', KEYS[6], ARGV[2])
redis.call('ZREM', KEYS[7], ARGV[2])
redis.call('ZREM', KEYS[10], ARGV[2])
let_source_go(KEYS[3], KEYS[4], KEYS[5], ARGV[1], tonumber(ARGV[7]))
local code = ARGV[5] ~= '' and cjson.decode(ARGV[5]).code or ''
redis.call('HINCRBY', KEYS[11], 'jobs:' .. ARGV[3] .. ':' .. code, 1)
local times = redis.call('HMGET', KEYS[1], 'created', 'started')
if times[2] then
  -- How long the queue was busy with it: not while nothing was there, nor while no worker was.
  local before = tonumber(string.match(redis.call('LINDEX', KEYS[9], 0) or '0', '^%d+'))
  local span = now - math.max(before, tonumber(times[1]), times[2] - 1000)
  redis.call('LPUSH', KEYS[9], string.format('%d %d', now, math.max(span, 0)))
  redis.call('LTRIM', KEYS[9], 0, 63)
  tally(KEYS[11], 'wait', math.max(0, times[2] - times[1]) / 1000)
  tally(KEYS[11], 'run', (now - times[2]) / 1000)
end
redis.call('PUBLISH', ARGV[9], ARGV[10])
return 1
"""
)

REMOVE = (
    _NOW
    + _LET_SOURCE_GO
    + """
-- KEYS record, results, source, users, retained, pending, pending of the owner, same,
--      sharers, record of the results' home, running, counts
-- ARGV id, member, home, result ttl, source ttl, channel, message, id of the upload's job
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'gone' end
if state == 'deleted' then return state end
local once = redis.call('HGET', KEYS[1], 'once')
if state == 'queued' or state == 'running' then
  local ttl = tonumber(ARGV[4])
  redis.call('HSET', KEYS[1], 'state', 'canceled', 'ended', now, 'expires', now + ttl * 1000)
  redis.call('EXPIRE', KEYS[1], ttl)
  if once then redis.call('EXPIRE', once, ttl) end
  redis.call('ZREM', KEYS[6], ARGV[2])
  redis.call('ZREM', KEYS[7], ARGV[2])
  redis.call('ZREM', KEYS[11], ARGV[2])
  redis.call('HINCRBY', KEYS[12], 'jobs:canceled:', 1)
  let_source_go(KEYS[3], KEYS[4], KEYS[5], ARGV[1], tonumber(ARGV[5]))
  redis.call('PUBLISH', ARGV[6], ARGV[7])
  return 'canceled'
end
local left = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'deleted')
redis.call('PEXPIRE', KEYS[1], math.max(left, 1))
if once then redis.call('DEL', once) end
redis.call('SREM', KEYS[9], ARGV[1])
local home_state = redis.call('HGET', KEYS[10], 'state')
if redis.call('SCARD', KEYS[9]) == 0 and (not home_state or home_state == 'deleted') then
  redis.call('DEL', KEYS[2], KEYS[9])
  if redis.call('GET', KEYS[8]) == ARGV[3] then redis.call('DEL', KEYS[8]) end
end
if ARGV[8] == ARGV[1] and redis.call('SCARD', KEYS[9]) == 0 then
  let_source_go(KEYS[3], KEYS[4], KEYS[5], ARGV[1], 0)
end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 'deleted'
"""
)

SHARE = (
    _NOW
    + """
-- KEYS same, record, pending, pending of the owner, once, counts
-- ARGV id, member, result ttl, source ttl, results prefix, sharers prefix, source prefix,
--      once value or '', field, value ...
-- gives 0 nothing to share, or no place; 1 shared; 2 shared but the source is to be stored;
--       3 the key is taken
if not redis.call('ZSCORE', KEYS[3], ARGV[2]) then return 0 end
local home = redis.call('GET', KEYS[1])
if not home then return 0 end
if ARGV[8] ~= '' and redis.call('EXISTS', KEYS[5]) == 1 then return 3 end
local results, sharers = ARGV[5] .. home, ARGV[6] .. home
local facts = redis.call('HMGET', results, 'source', 'outputs', 'source_home')
if not facts[1] then return 0 end
local ttl, source = tonumber(ARGV[3]), ARGV[7] .. facts[3]
redis.call('HSET', KEYS[2], unpack(ARGV, 9))
redis.call('HSET', KEYS[2], 'state', 'done', 'progress', 1, 'stage', 'done', 'cached', 1,
  'home', home, 'source', facts[1], 'outputs', facts[2],
  'created', now, 'started', now, 'ended', now, 'expires', now + ttl * 1000)
redis.call('EXPIRE', KEYS[2], ttl)
redis.call('HINCRBY', KEYS[6], 'jobs:done:cached', 1)
redis.call('SADD', sharers, ARGV[1])
redis.call('EXPIRE', sharers, ttl)
redis.call('EXPIRE', results, ttl)
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('ZREM', KEYS[4], ARGV[2])
if ARGV[8] ~= '' then
  redis.call('SET', KEYS[5], ARGV[8], 'EX', ttl)
  redis.call('HSET', KEYS[2], 'once', KEYS[5])
end
local left = redis.call('TTL', source)
if left == -2 then return 2 end
if left >= 0 then redis.call('EXPIRE', source, ARGV[4]) end
redis.call('HSET', KEYS[2], 'source_home', facts[3])
return 1
"""
)

ADOPT = """
-- KEYS source, users, record of the upload's job, retained; ARGV id, id of the upload's job
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('PERSIST', KEYS[1])
redis.call('ZREM', KEYS[4], KEYS[1])
redis.call('SADD', KEYS[2], ARGV[1])
local state = redis.call('HGET', KEYS[3], 'state')
if state == 'queued' or state == 'running' then redis.call('SADD', KEYS[2], ARGV[2]) end
return 1
"""

PATCH = """
-- KEYS hash; ARGV field, value: sets a field of a hash that is still there
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""

REOPEN = (
    _NOW
    + """
-- KEYS record, source, users, retained, record of the upload's job, pending, pending of the owner
-- ARGV id, id of the upload's job, member, outputs, channel, message
-- a failed job waits again, and keeps its upload as ADOPT does; 0 if it cannot
if redis.call('HGET', KEYS[1], 'state') ~= 'failed' then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'queued', 'stage', 'queued', 'outputs', ARGV[4])
redis.call('HDEL', KEYS[1], 'error', 'started', 'ended', 'expires', 'runs')
redis.call('PERSIST', KEYS[1])
local once = redis.call('HGET', KEYS[1], 'once')
if once and string.sub(redis.call('GET', once) or '', 1, #ARGV[1]) == ARGV[1] then
  redis.call('PERSIST', once)
end
redis.call('PERSIST', KEYS[2])
redis.call('ZREM', KEYS[4], KEYS[2])
redis.call('SADD', KEYS[3], ARGV[1])
local home = redis.call('HGET', KEYS[5], 'state')
if home == 'queued' or home == 'running' then redis.call('SADD', KEYS[3], ARGV[2]) end
redis.call('ZADD', KEYS[6], now, ARGV[3])
redis.call('ZADD', KEYS[7], now, ARGV[3])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
"""
)

WITHDRAW = (
    _NOW
    + _LET_SOURCE_GO
    + """
-- KEYS record, source, users, retained, pending, pending of the owner
-- ARGV id, member, id of the upload's job, source ttl
-- a job that no worker took and of which no client knows leaves nothing behind; 0 if it stays
if redis.call('HGET', KEYS[1], 'state') ~= 'queued' then return 0 end
if redis.call('HEXISTS', KEYS[1], 'answered') == 1 then return 0 end
local once = redis.call('HGET', KEYS[1], 'once')
if once then redis.call('DEL', once) end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[5], ARGV[2])
redis.call('ZREM', KEYS[6], ARGV[2])
let_source_go(KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[1] == ARGV[3] and 0 or tonumber(ARGV[4]))
return 1
"""
)

ALIVE = (
    _NOW
    + """
-- KEYS running; ARGV member
return redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1])
"""
)

BEAT = (
    _NOW
    + """
-- KEYS workers; ARGV name, milliseconds after which a silent one is dead
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - tonumber(ARGV[2]))
return redis.call('ZADD', KEYS[1], now, ARGV[1])
"""
)

LASTING = (
    _NOW
    + """
-- KEYS first sightings; ARGV milliseconds, member ...: gives those seen for so long already
local missing, lasting = {}, {}
for i = 2, #ARGV do missing[ARGV[i]] = true end
local seen = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #seen, 2 do
  if not missing[seen[i]] then
    redis.call('ZREM', KEYS[1], seen[i])
  elseif now - tonumber(seen[i + 1]) >= tonumber(ARGV[1]) then
    table.insert(lasting, seen[i])
  end
end
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i]) end
return lasting
"""
)
