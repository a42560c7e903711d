-- Note which jobs are missing, and return those that were missing for `milliseconds` already.
-- ARGV from the second on are the members that are missing now.
local sightings = unpack(KEYS)
local milliseconds = unpack(ARGV, 1, 1)
-- include clock
local missing, lasting = {}, {}
for i = 2, #ARGV do missing[ARGV[i]] = true end
local seen = redis.call('ZRANGE', sightings, 0, -1, 'WITHSCORES')
for i = 1, #seen, 2 do
  if not missing[seen[i]] then
    redis.call('ZREM', sightings, seen[i])
  elseif now - tonumber(seen[i + 1]) >= tonumber(milliseconds) then
    table.insert(lasting, seen[i])
  end
end
for i = 2, #ARGV do redis.call('ZADD', sightings, 'NX', now, ARGV[i]) end
return lasting
