-- Give back one use of a token. A counter that has expired is not made again.
local counter = unpack(KEYS)
if tonumber(redis.call('GET', counter) or '0') > 0 then redis.call('DECR', counter) end
return 0
