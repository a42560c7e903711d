-- Pop the next job of RQ's queue, note its start and the end of the worker's last job, and fetch
-- it. `popped` is a job that was popped before, or empty. Return false if the queue is empty,
-- {id} if the job's key holds no hash, or {id, fields}. Only a job with fields has been started.
-- ARGV from the tenth on are the last job, as `settle` takes it.
-- LMOVE first: when memory is short, Redis refuses a script whose first write needs memory, and
-- then the worker makes room. A script that fails later leaves the job where it is recovered from.
local queue, intermediate_queue, started, finished, worker, worker_executions = unpack(KEYS)
local prefixes = {job = ARGV[1], execution = ARGV[2], executions = ARGV[3]}
local name, execution, date, at, ttl, popped = unpack(ARGV, 4, 9)
-- include settle
local id = popped
if id == '' then id = redis.call('LMOVE', queue, intermediate_queue, 'LEFT', 'RIGHT') end
settle(prefixes, started, finished, worker, worker_executions, {unpack(ARGV, 10)})
if not id then return false end
local job = prefixes.job .. id
local fields = redis.pcall('HGETALL', job)
if fields.err then return {id} end
if #fields == 0 then return {id, fields} end
local both, now = id .. ':' .. execution, math.floor(tonumber(at))
redis.call('HSET', prefixes.execution .. both, 'id', execution, 'job_id', id, 'created_at', at,
  'last_heartbeat', at, 'worker_name', name)
redis.call('EXPIRE', prefixes.execution .. both, ttl)
redis.call('ZADD', prefixes.executions .. id, now + ttl + 60, execution)
redis.call('EXPIRE', prefixes.executions .. id, ttl + 60)
redis.call('ZADD', started, now + ttl, both)
redis.call('SADD', worker_executions, both)
redis.call('EXPIRE', worker_executions, ttl + 60)
redis.call('HSET', worker, 'state', 'busy')
redis.call('HSET', job, 'status', 'started', 'started_at', date, 'last_heartbeat', date,
  'worker_name', name)
redis.call('PERSIST', job)
redis.call('LREM', intermediate_queue, 1, id)
return {id, fields}
