-- Note in RQ's registries that a job has succeeded. `last` is empty, or: the job, its execution,
-- when it ended (as a date, in seconds), its lifetime, its working time (both in seconds).
-- A job that is no longer among the started ones was taken over: its next run notes the end.
local function settle(prefixes, started, finished, worker, worker_executions, last)
  if #last == 0 then return end
  local id, execution, date, ended, ttl, seconds = unpack(last)
  local both = id .. ':' .. execution
  if redis.call('ZREM', started, both) == 0 then return end
  redis.call('DEL', prefixes.execution .. both)
  redis.call('ZREM', prefixes.executions .. id, execution)
  redis.call('SREM', worker_executions, both)
  redis.call('HSET', prefixes.job .. id, 'status', 'finished', 'ended_at', date,
    'meta', '{"progress": 1.0, "stage": "done"}')
  redis.call('EXPIRE', prefixes.job .. id, ttl)
  redis.call('ZADD', finished, ended + ttl, id)
  redis.call('HINCRBY', worker, 'successful_job_count', 1)
  redis.call('HINCRBYFLOAT', worker, 'total_working_time', seconds)
end
