-- Keep the upload of job `upload_from` for job `id` too. Return 0 if the upload is gone.
local upload, users, upload_record, retained = unpack(KEYS)
local id, upload_from = unpack(ARGV)
if redis.call('EXISTS', upload) == 0 then return 0 end
redis.call('PERSIST', upload)
redis.call('ZREM', retained, upload)
redis.call('SADD', users, id)
local state = redis.call('HGET', upload_record, 'state')
if state == 'queued' or state == 'running' then redis.call('SADD', users, upload_from) end
return 1
