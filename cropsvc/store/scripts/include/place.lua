-- Whether an owner may have one more job waiting, and how many wait before it. `pendings` are the
-- keys of all waiting jobs, of the owner's, and of each other owner's. Expired slots do not count.
local function place(pendings, cap, reserved)
  local function count(key)
    return redis.call('ZCARD', key) - redis.call('ZCOUNT', key, reserved, reserved + now)
  end
  local waiting, own = count(pendings[1]), count(pendings[2])
  if waiting >= cap then return false, waiting end
  if #pendings == 2 then return true, waiting end
  local owners = 1
  for i = 3, #pendings do
    if count(pendings[i]) > 0 then owners = owners + 1 end
  end
  -- One slot is kept for each owner that has no job waiting, so that no flood can shut it out.
  if own > 0 and waiting >= cap - (#pendings - 1 - owners) then return false, waiting end
  if owners > 1 and own >= math.max(1, math.floor(cap / owners)) then return false, own end
  return true, waiting
end
