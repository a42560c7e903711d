-- Set a field of a hash that still exists. Return 0 if it does not.
local hash = unpack(KEYS)
local field, value = unpack(ARGV)
if redis.call('EXISTS', hash) == 0 then return 0 end
-- HDEL first: when memory is short, Redis refuses a script whose first write needs memory.
redis.call('HDEL', hash, field)
redis.call('HSET', hash, field, value)
return 1
