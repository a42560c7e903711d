-- Reserve a slot in the queue. Return {1 if granted else 0, now, jobs waiting}.
-- KEYS from the third on are the waiting jobs of the other owners.
local pending, owner_pending = unpack(KEYS)
local member, cap, seconds, reserved = unpack(ARGV)
-- include clock
cap, reserved = tonumber(cap), tonumber(reserved)
for i = 1, #KEYS do redis.call('ZREMRANGEBYSCORE', KEYS[i], reserved, reserved + now) end
local waiting, own = redis.call('ZCARD', pending), redis.call('ZCARD', owner_pending)
if waiting >= cap then return {0, now, waiting} end
local owners = 1
for i = 3, #KEYS do
  if redis.call('ZCARD', KEYS[i]) > 0 then owners = owners + 1 end
end
-- One slot is kept for each owner that has no job waiting, so that no flood can shut it out.
if own > 0 and waiting >= cap - (#KEYS - 1 - owners) then return {0, now, waiting} end
if owners > 1 and own >= math.max(1, math.floor(cap / owners)) then return {0, now, own} end
-- Reserved slots sort after all waiting jobs: their score is their expiry plus `reserved`.
local score = reserved + now + seconds * 1000
redis.call('ZADD', pending, score, member)
redis.call('ZADD', owner_pending, score, member)
return {1, now, waiting}
