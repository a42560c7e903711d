-- Refresh a running job's heartbeat.
local running = unpack(KEYS)
local member = unpack(ARGV)
-- include clock
return redis.call('ZADD', running, 'XX', now, member)
