-- Count one use of a token, unless all are used. The counter expires with the token.
local counter = unpack(KEYS)
local most, seconds = unpack(ARGV)
if tonumber(redis.call('GET', counter) or '0') >= tonumber(most) then return 0 end
redis.call('INCR', counter)
redis.call('EXPIRE', counter, seconds)
return 1
