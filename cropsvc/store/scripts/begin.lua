-- Claim a job for running. Return {verdict}, or {'started', fields ...}.
local record, pending, owner_pending, running = unpack(KEYS)
local member, max_runs = unpack(ARGV)
-- include clock
local state, stage, request, source, source_home, created, started, trace = unpack(redis.call(
  'HMGET', record,
  'state', 'stage', 'request', 'source', 'source_home', 'created', 'started', 'trace'))
if state ~= 'queued' and state ~= 'running' then return {'already-ended'} end
-- ZREM first: when memory is short, Redis refuses a script whose first write needs memory.
redis.call('ZREM', pending, member)
redis.call('ZREM', owner_pending, member)
if redis.call('HINCRBY', record, 'runs', 1) > tonumber(max_runs) then return {'too-many-runs'} end
started = started or now
redis.call('HSET', record, 'state', 'running', 'started', started,
  'stage', stage == 'queued' and 'decoding' or stage)
redis.call('ZADD', running, now, member)
return {'started', request, source, source_home, created, tostring(started), trace}
