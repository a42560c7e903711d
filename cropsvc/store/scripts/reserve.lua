-- Reserve a slot in the queue. Return {1 if granted else 0, now, jobs waiting}.
-- KEYS from the third on are the waiting jobs of the other owners.
local pending, owner_pending = unpack(KEYS)
local member, cap, seconds, reserved = unpack(ARGV)
-- include clock
-- include place
cap, reserved = tonumber(cap), tonumber(reserved)
for i = 1, #KEYS do redis.call('ZREMRANGEBYSCORE', KEYS[i], reserved, reserved + now) end
local granted, waiting = place(KEYS, cap, reserved)
if not granted then return {0, now, waiting} end
-- Reserved slots sort after all waiting jobs: their score is their expiry plus `reserved`.
local score = reserved + now + seconds * 1000
redis.call('ZADD', pending, score, member)
redis.call('ZADD', owner_pending, score, member)
return {1, now, waiting}
