-- Note that the ended job `id` shows the upload of another job, for `ttl` seconds.
local function borrow_upload(borrowers, id, ttl)
  redis.call('SADD', borrowers, id)
  redis.call('EXPIRE', borrowers, ttl)
end
