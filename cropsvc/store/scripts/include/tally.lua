-- Count a duration in its histogram bucket. `bounds` are upper bounds in seconds, with spaces
-- between them.
local function tally(counts, what, seconds, bounds)
  local bucket = '+Inf'
  for bound in string.gmatch(bounds, '%S+') do
    if seconds <= tonumber(bound) then bucket = bound break end
  end
  redis.call('HINCRBY', counts, what .. ':' .. bucket, 1)
  redis.call('HINCRBYFLOAT', counts, what .. ':sum', seconds)
end
