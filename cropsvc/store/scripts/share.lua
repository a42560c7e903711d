-- End a job that has a slot with the living results of a job with the same bytes and request.
-- Return 0 if there is nothing to share or no slot, 1 if shared, 2 if shared but the upload must be
-- stored, 3 if the idempotency key is taken.
-- ARGV from the tenth on are the record: field, value ...
local same, record, pending, owner_pending, once, counts, outbox = unpack(KEYS)
local id, member, result_ttl, source_ttl = unpack(ARGV, 1, 4)
local prefixes = {results = ARGV[5], sharers = ARGV[6], upload = ARGV[7], borrowers = ARGV[8]}
local once_value = ARGV[9]
-- include clock
-- include borrow_upload
-- include announce
-- include share
if not redis.call('ZSCORE', pending, member) then return 0 end
local results_from = redis.call('GET', same)
if not results_from then return 0 end
if once_value ~= '' and redis.call('EXISTS', once) == 1 then return 3 end
local keys = {record = record, counts = counts, outbox = outbox, once = once}
local shared = share(id, member, same, results_from, keys, prefixes, {unpack(ARGV, 10)},
  tonumber(result_ttl), source_ttl, once_value)
if not shared then return 0 end
redis.call('ZREM', pending, member)
redis.call('ZREM', owner_pending, member)
return shared
