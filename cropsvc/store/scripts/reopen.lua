-- Let a failed job wait again, and keep its upload as `adopt` does. Return 0 if it cannot.
local record, upload, users, retained, upload_record, pending, owner_pending, outbox = unpack(KEYS)
local id, upload_from, member, outputs, channel, message = unpack(ARGV)
-- include clock
if redis.call('HGET', record, 'state') ~= 'failed' then return 0 end
if redis.call('EXISTS', upload) == 0 then return 0 end
redis.call('HSET', record, 'state', 'queued', 'stage', 'queued', 'outputs', outputs)
redis.call('HDEL', record, 'error', 'started', 'ended', 'expires', 'runs',
  'hook_state', 'hook_attempts', 'hook_status', 'hook_next')
redis.call('ZREM', outbox, member)
redis.call('PERSIST', record)
local once = redis.call('HGET', record, 'once')
if once and string.sub(redis.call('GET', once) or '', 1, #id) == id then
  redis.call('PERSIST', once)
end
redis.call('PERSIST', upload)
redis.call('ZREM', retained, upload)
redis.call('SADD', users, id)
local state = redis.call('HGET', upload_record, 'state')
if state == 'queued' or state == 'running' then redis.call('SADD', users, upload_from) end
redis.call('ZADD', pending, now, member)
redis.call('ZADD', owner_pending, now, member)
redis.call('PUBLISH', channel, message)
return 1
