-- Record a running job's progress, which never falls. Return 0 if the job is not running.
local record = unpack(KEYS)
local progress, stage, channel, message = unpack(ARGV)
if redis.call('HGET', record, 'state') ~= 'running' then return 0 end
if tonumber(progress) < tonumber(redis.call('HGET', record, 'progress')) then return 1 end
redis.call('HSET', record, 'progress', progress, 'stage', stage)
redis.call('PUBLISH', channel, message)
return 1
