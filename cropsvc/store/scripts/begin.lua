-- Claim a job for running. Return {verdict}, or {'started', fields ...}.
local record, pending, owner_pending, running = unpack(KEYS)
local member, max_runs = unpack(ARGV)
-- include clock
local state = redis.call('HGET', record, 'state')
if state ~= 'queued' and state ~= 'running' then return {'already-ended'} end
-- ZREM first: when memory is short, Redis refuses a script whose first write needs memory.
redis.call('ZREM', pending, member)
redis.call('ZREM', owner_pending, member)
if redis.call('HINCRBY', record, 'runs', 1) > tonumber(max_runs) then return {'too-many-runs'} end
redis.call('HSET', record, 'state', 'running')
redis.call('ZADD', running, now, member)
if redis.call('HGET', record, 'stage') == 'queued' then
  redis.call('HSET', record, 'stage', 'decoding')
end
redis.call('HSETNX', record, 'started', now)
return {'started', unpack(redis.call('HMGET', record,
  'request', 'source', 'source_home', 'created', 'started', 'trace'))}
