-- List an object that is about to be written, to be looked at in `milliseconds`.
local objects = unpack(KEYS)
local milliseconds, member = unpack(ARGV)
-- include clock
return redis.call('ZADD', objects, now + tonumber(milliseconds), member)
