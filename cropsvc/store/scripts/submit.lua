-- Store a new job with its upload and queue it, or end it at once with the living results of a job
-- with the same bytes and request: all of a small submit, in one step.
-- Return {1 if there is a place in the queue else 0, now, jobs waiting, what `share` returns or 0}.
-- KEYS from the sixth on are the waiting jobs of all, of the owner, and of each other owner.
-- ARGV from the thirteenth on: `count` parts of the record (field, value ...), then the queue's
-- commands, each as the number of its parts and the parts.
local same, record, upload, counts, outbox = unpack(KEYS, 1, 5)
local pendings = {unpack(KEYS, 6)}
local id, member, result_ttl, source_ttl = unpack(ARGV, 1, 4)
local prefixes = {results = ARGV[5], sharers = ARGV[6], upload = ARGV[7], borrowers = ARGV[8]}
local cap, reserved, bytes, count =
  tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11], tonumber(ARGV[12])
-- include clock
-- include borrow_upload
-- include announce
-- include share
-- include place
local granted, waiting = place(pendings, cap, reserved)
if not granted then return {0, now, waiting, 0} end
local fields = {unpack(ARGV, 13, 12 + count)}
local results_from = redis.call('GET', same)
if results_from then
  local keys = {record = record, counts = counts, outbox = outbox}
  local shared = share(id, member, same, results_from, keys, prefixes, fields,
    tonumber(result_ttl), source_ttl, '')
  if shared then return {1, now, waiting, shared} end
end
-- The first write needs memory: when that is short, Redis refuses the whole script.
redis.call('SET', upload, bytes)
redis.call('HSET', record, 'created', now, unpack(fields))
redis.call('ZADD', pendings[1], now, member)
redis.call('ZADD', pendings[2], now, member)
local first = 13 + count
while ARGV[first] do
  local last = first + tonumber(ARGV[first])
  redis.call(unpack(ARGV, first + 1, last))
  first = last + 1
end
return {1, now, waiting, 0}
