-- Refresh a worker's heartbeat, and drop the workers that were silent for `silent` milliseconds.
local workers = unpack(KEYS)
local name, silent = unpack(ARGV)
-- include clock
redis.call('ZREMRANGEBYSCORE', workers, 0, now - tonumber(silent))
return redis.call('ZADD', workers, now, name)
