-- End a job as done or failed. Return 0 if it had ended before.
-- ARGV from the thirteenth on are the results: field, bytes, field, bytes ...
local record, results, upload, users, borrowers, retained, pending, owner_pending, same, pace,
  running, counts, outbox = unpack(KEYS)
local id, member, end_state, outputs, failure, result_ttl, source_ttl, same_ttl, channel, message,
  bounds, most_carried = unpack(ARGV, 1, 12)
-- include clock
-- include release_upload
-- include borrow_upload
-- include tally
-- include announce
local state, upload_from, source, once, created, started, awaited = unpack(redis.call(
  'HMGET', record, 'state', 'source_home', 'source', 'once', 'created', 'started', 'awaited'))
if state ~= 'queued' and state ~= 'running' then return 0 end
-- ZREM first: when memory is short, Redis refuses a script whose first write needs memory. The
-- end must get through: it is what gives the upload's memory back.
redis.call('ZREM', running, member)
if state == 'queued' then -- `begin` has done it for the others
  redis.call('ZREM', pending, member)
  redis.call('ZREM', owner_pending, member)
end
local ttl = tonumber(result_ttl)
local ending = {'state', end_state, 'ended', now, 'expires', now + ttl * 1000}
local function ends_with(field, value)
  table.insert(ending, field)
  table.insert(ending, value)
end
if end_state == 'done' then
  ends_with('progress', 1)
  ends_with('stage', 'done')
  redis.call('HSET', results, 'source', source, 'source_home', upload_from, 'outputs', outputs,
    unpack(ARGV, 13))
  redis.call('EXPIRE', results, ttl)
  if tonumber(same_ttl) > 0 then redis.call('SET', same, id, 'EX', same_ttl) end
end
if outputs ~= '' then ends_with('outputs', outputs) end
if failure ~= '' then ends_with('error', failure) end
redis.call('HSET', record, unpack(ending))
redis.call('EXPIRE', record, ttl)
if once then redis.call('EXPIRE', once, ttl) end
release_upload(upload, users, retained, id, tonumber(source_ttl))
if upload_from ~= id then borrow_upload(borrowers, id, ttl) end
local code = failure ~= '' and cjson.decode(failure).code or ''
redis.call('HINCRBY', counts, 'jobs:' .. end_state .. ':' .. code, 1)
if started then
  -- How long the queue was busy with the job: not while it was empty or had no worker.
  local before = tonumber(string.match(redis.call('LINDEX', pace, 0) or '0', '^%d+'))
  local span = now - math.max(before, tonumber(created), started - 1000)
  redis.call('LPUSH', pace, string.format('%d %d', now, math.max(span, 0)))
  redis.call('LTRIM', pace, 0, 63)
  tally(counts, 'wait', math.max(0, started - created) / 1000, bounds)
  tally(counts, 'run', (now - started) / 1000, bounds)
end
announce(record, outbox, member, now)
-- The front end that waits for the bytes needs not read them if they come with the message.
if awaited and end_state == 'done' and started and #(ARGV[14] or "") <= tonumber(most_carried) then
  message = table.concat({message, started, string.format('%d', now),
    string.format('%d', now + ttl * 1000), outputs, ARGV[14] or ""}, '\n')
end
redis.call('PUBLISH', channel, message)
return 1
