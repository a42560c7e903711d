-- Give a reserved slot back. Return 0 if a job has taken it since, or it does not exist.
local pending, owner_pending = unpack(KEYS)
local member, reserved = unpack(ARGV)
local score = redis.call('ZSCORE', pending, member)
if not score or tonumber(score) < tonumber(reserved) then return 0 end
redis.call('ZREM', pending, member)
redis.call('ZREM', owner_pending, member)
return 1
