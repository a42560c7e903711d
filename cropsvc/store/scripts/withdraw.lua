-- Delete a job that no worker has claimed and whose id no client has received.
-- Return 0 if it stays.
local record, upload, users, retained, pending, owner_pending = unpack(KEYS)
local id, member, upload_from, source_ttl = unpack(ARGV)
-- include clock
-- include release_upload
if redis.call('HGET', record, 'state') ~= 'queued' then return 0 end
if redis.call('HEXISTS', record, 'answered') == 1 then return 0 end
local once = redis.call('HGET', record, 'once')
if once then redis.call('DEL', once) end
redis.call('DEL', record)
redis.call('ZREM', pending, member)
redis.call('ZREM', owner_pending, member)
release_upload(upload, users, retained, id, id == upload_from and 0 or tonumber(source_ttl))
return 1
