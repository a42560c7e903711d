-- Pop the next job of RQ's queue and fetch it. Return false, {id}, or {id, fields}.
local queue, intermediate_queue = unpack(KEYS)
local prefix = unpack(ARGV)
local id = redis.call('LMOVE', queue, intermediate_queue, 'LEFT', 'RIGHT')
if not id then return false end
local fields = redis.pcall('HGETALL', prefix .. id)
return fields.err and {id} or {id, fields}
