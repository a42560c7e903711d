-- Note the end of a worker's last job.
local started, finished, worker, worker_executions = unpack(KEYS)
local prefixes = {job = ARGV[1], execution = ARGV[2], executions = ARGV[3]}
-- include settle
settle(prefixes, started, finished, worker, worker_executions, {unpack(ARGV, 4)})
return 1
