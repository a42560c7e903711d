-- Count one use of a token, unless all are used. The counter expires with the token.
-- KEYS: the counter. ARGV: most uses, seconds that the token lives.
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
