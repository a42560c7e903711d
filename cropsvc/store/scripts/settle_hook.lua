-- Note an attempt to deliver a message; `wait` milliseconds until the next one, or -1 for none.
-- A message whose next attempt would come after the job's end of life has failed.
-- One that is due again already was asked for again during the attempt: it stays.
local record, outbox = unpack(KEYS)
local member, hook_state, status, wait = unpack(ARGV)
-- include clock
if redis.call('HEXISTS', record, 'hook') == 0 then
  redis.call('ZREM', outbox, member)
  return 'gone'
end
redis.call('HINCRBY', record, 'hook_attempts', 1)
redis.call('HSET', record, 'hook_status', status)
local due = now + tonumber(wait)
local expires = tonumber(redis.call('HGET', record, 'expires') or '0')
local score = tonumber(redis.call('ZSCORE', outbox, member) or '') or now + 1
if score <= now then
  redis.call('HSET', record, 'hook_state', 'waiting', 'hook_next', score)
  return hook_state
end
if hook_state == 'waiting' and due >= expires then hook_state = 'failed' end
redis.call('HSET', record, 'hook_state', hook_state)
if hook_state == 'waiting' then
  redis.call('HSET', record, 'hook_next', due)
  redis.call('ZADD', outbox, due, member)
else
  redis.call('HDEL', record, 'hook_next')
  redis.call('ZREM', outbox, member)
end
return hook_state
