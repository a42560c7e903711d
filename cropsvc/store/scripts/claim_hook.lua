-- Take a due message out of the others' sight for `lease` milliseconds. Return 0 if it is not due.
local outbox = unpack(KEYS)
local member, lease = unpack(ARGV)
-- include clock
local due = redis.call('ZSCORE', outbox, member)
if not due or tonumber(due) > now then return 0 end
redis.call('ZADD', outbox, 'XX', now + tonumber(lease), member)
return 1
