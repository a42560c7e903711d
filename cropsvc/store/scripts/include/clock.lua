-- The server's clock is the only one that decides; `now` is in milliseconds since the epoch.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
