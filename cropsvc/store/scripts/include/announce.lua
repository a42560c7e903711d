-- Put a job that has ended into the outbox, if somebody wants to hear of it.
local function announce(record, outbox, member, now)
  if redis.call('HEXISTS', record, 'hook') == 0 then return end
  redis.call('ZADD', outbox, now, member)
  redis.call('HSET', record, 'hook_state', 'waiting', 'hook_next', now)
end
