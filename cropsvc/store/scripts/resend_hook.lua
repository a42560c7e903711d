-- Send an ended job's message again. Return 0 if the job has none.
local record, outbox = unpack(KEYS)
local member = unpack(ARGV)
-- include clock
-- include announce
local state = redis.call('HGET', record, 'state')
if not state or state == 'queued' or state == 'running' or state == 'deleted' then return 0 end
announce(record, outbox, member, now)
return redis.call('HEXISTS', record, 'hook')
