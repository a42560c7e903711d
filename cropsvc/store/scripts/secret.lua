-- Return the secrets that are kept, newest first, after adding those a process used before.
-- ARGV are the secrets that this process has used, or, if `is_new` is 1, one to begin with.
local secret = unpack(KEYS)
local is_new = unpack(ARGV, 1, 1)
local kept, known = {}, {}
for one in string.gmatch(redis.call('GET', secret) or '', '%S+') do
  table.insert(kept, one)
  known[one] = true
end
local before = #kept
for i = 2, #ARGV do
  if not known[ARGV[i]] and (is_new == '0' or before == 0) then table.insert(kept, ARGV[i]) end
end
if #kept > before then redis.call('SET', secret, table.concat(kept, ' ')) end
return kept
