-- End a new job at once with the living results of the job `results_from`. Return false if they
-- do not live, 1 if shared, 2 if shared but the upload must be stored.
-- `keys`: record, counts, outbox, once; `prefixes`: results, sharers, upload, borrowers.
-- `fields` are the record: field, value ... `once_value` is empty without an idempotency key.
local function share(id, member, same, results_from, keys, prefixes, fields, ttl, source_ttl,
    once_value)
  local results, sharers = prefixes.results .. results_from, prefixes.sharers .. results_from
  local source, outputs, upload_from =
    unpack(redis.call('HMGET', results, 'source', 'outputs', 'source_home'))
  if not source then return false end
  local record, upload = keys.record, prefixes.upload .. upload_from
  redis.call('HSET', record, unpack(fields))
  redis.call('HSET', record, 'state', 'done', 'progress', 1, 'stage', 'done', 'cached', 1,
    'home', results_from, 'source', source, 'outputs', outputs,
    'created', now, 'started', now, 'ended', now, 'expires', now + ttl * 1000)
  redis.call('EXPIRE', record, ttl)
  redis.call('HINCRBY', keys.counts, 'jobs:done:cached', 1)
  redis.call('SADD', sharers, id)
  redis.call('EXPIRE', sharers, ttl)
  redis.call('EXPIRE', results, ttl)
  redis.call('EXPIRE', same, ttl)
  if once_value ~= '' then
    redis.call('SET', keys.once, once_value, 'EX', ttl)
    redis.call('HSET', record, 'once', keys.once)
  end
  announce(record, keys.outbox, member, now)
  local left = redis.call('TTL', upload)
  if left == -2 then return 2 end
  if left >= 0 then redis.call('EXPIRE', upload, source_ttl) end
  redis.call('HSET', record, 'source_home', upload_from)
  borrow_upload(prefixes.borrowers .. upload_from, id, ttl)
  return 1
end
