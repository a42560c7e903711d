-- Take one run of a job back, which its worker could not do.
local record = unpack(KEYS)
if redis.call('HGET', record, 'state') ~= 'running' then return 0 end
return redis.call('HINCRBY', record, 'runs', -1)
