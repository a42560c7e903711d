-- End a new job at once with the living results of a job with the same bytes and request.
-- Return 0 if there is nothing to share or no slot, 1 if shared, 2 if shared but the upload must be
-- stored, 3 if the idempotency key is taken.
-- ARGV from the tenth on are the record: field, value ...
local same, record, pending, owner_pending, once, counts, outbox = unpack(KEYS)
local id, member, result_ttl, source_ttl, results_prefix, sharers_prefix, upload_prefix,
  borrowers_prefix, once_value = unpack(ARGV, 1, 9)
-- include clock
-- include borrow_upload
-- include announce
if not redis.call('ZSCORE', pending, member) then return 0 end
local results_from = redis.call('GET', same)
if not results_from then return 0 end
if once_value ~= '' and redis.call('EXISTS', once) == 1 then return 3 end
local results, sharers = results_prefix .. results_from, sharers_prefix .. results_from
local source, outputs, upload_from =
  unpack(redis.call('HMGET', results, 'source', 'outputs', 'source_home'))
if not source then return 0 end
local ttl, upload = tonumber(result_ttl), upload_prefix .. upload_from
redis.call('HSET', record, unpack(ARGV, 10))
redis.call('HSET', record, 'state', 'done', 'progress', 1, 'stage', 'done', 'cached', 1,
  'home', results_from, 'source', source, 'outputs', outputs,
  'created', now, 'started', now, 'ended', now, 'expires', now + ttl * 1000)
redis.call('EXPIRE', record, ttl)
redis.call('HINCRBY', counts, 'jobs:done:cached', 1)
redis.call('SADD', sharers, id)
redis.call('EXPIRE', sharers, ttl)
redis.call('EXPIRE', results, ttl)
redis.call('EXPIRE', same, ttl)
redis.call('ZREM', pending, member)
redis.call('ZREM', owner_pending, member)
if once_value ~= '' then
  redis.call('SET', once, once_value, 'EX', ttl)
  redis.call('HSET', record, 'once', once)
end
announce(record, outbox, member, now)
local left = redis.call('TTL', upload)
if left == -2 then return 2 end
if left >= 0 then redis.call('EXPIRE', upload, source_ttl) end
redis.call('HSET', record, 'source_home', upload_from)
borrow_upload(borrowers_prefix .. upload_from, id, ttl)
return 1
