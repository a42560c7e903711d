-- Give back one use of a token. A counter that has expired is not made again.
-- KEYS: the counter.
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 0
