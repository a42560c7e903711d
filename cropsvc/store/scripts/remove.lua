-- Cancel a job that has not ended, or delete one that has. Return 'gone', 'canceled' or 'deleted'.
local record, results, upload, users, borrowers, retained, pending, owner_pending, same, sharers,
  results_record, upload_record, running, counts, outbox = unpack(KEYS)
local id, member, results_from, upload_from, result_ttl, source_ttl, channel, message = unpack(ARGV)
-- include clock
-- include release_upload
-- include borrow_upload
-- include announce
local state = redis.call('HGET', record, 'state')
if not state then return 'gone' end
if state == 'deleted' then return state end
local once = redis.call('HGET', record, 'once')
if state == 'queued' or state == 'running' then
  -- ZREM first: when memory is short, Redis refuses a script whose first write needs memory.
  redis.call('ZREM', pending, member)
  redis.call('ZREM', owner_pending, member)
  redis.call('ZREM', running, member)
  local ttl = tonumber(result_ttl)
  redis.call('HSET', record, 'state', 'canceled', 'ended', now, 'expires', now + ttl * 1000)
  redis.call('EXPIRE', record, ttl)
  if once then redis.call('EXPIRE', once, ttl) end
  redis.call('HINCRBY', counts, 'jobs:canceled:', 1)
  release_upload(upload, users, retained, id, tonumber(source_ttl))
  if upload_from ~= id then borrow_upload(borrowers, id, ttl) end
  announce(record, outbox, member, now)
  redis.call('PUBLISH', channel, message)
  return 'canceled'
end
local left = redis.call('PTTL', record)
redis.call('ZREM', outbox, member)
redis.call('DEL', record)
redis.call('HSET', record, 'state', 'deleted')
redis.call('PEXPIRE', record, math.max(left, 1))
if once then redis.call('DEL', once) end
-- Whether the record of job `other` was deleted or has expired.
local function is_gone(other)
  local found = redis.call('HGET', other, 'state')
  return not found or found == 'deleted'
end
redis.call('SREM', sharers, id)
if redis.call('SCARD', sharers) == 0 and is_gone(results_record) then
  redis.call('DEL', results, sharers)
  if redis.call('GET', same) == results_from then redis.call('DEL', same) end
end
redis.call('SREM', borrowers, id)
if redis.call('SCARD', borrowers) == 0 and is_gone(upload_record) then
  release_upload(upload, users, retained, id, 0)
end
redis.call('PUBLISH', channel, message)
return 'deleted'
