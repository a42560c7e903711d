-- Delete the `count` oldest uploads that are only kept for cropping again. Return how many.
-- One script rather than MULTI: above `maxmemory` Redis rejects every command in a MULTI, DEL too.
local retained = unpack(KEYS)
local count = unpack(ARGV)
local oldest = redis.call('ZRANGE', retained, 0, count - 1)
if #oldest > 0 then
  redis.call('DEL', unpack(oldest))
  redis.call('ZREM', retained, unpack(oldest))
end
return #oldest
