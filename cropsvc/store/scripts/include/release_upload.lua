-- Let job `id` go from an upload's users. The last one leaves the upload `ttl` seconds to live.
local function release_upload(upload, users, retained, id, ttl)
  redis.call('SREM', users, id)
  if redis.call('SCARD', users) > 0 then return end
  if ttl > 0 and redis.call('EXPIRE', upload, ttl) == 1 then
    redis.call('ZREMRANGEBYSCORE', retained, 0, now - ttl * 1000)
    redis.call('ZADD', retained, now, upload)
  elseif ttl <= 0 then
    redis.call('DEL', upload)
    redis.call('ZREM', retained, upload)
  end
end
