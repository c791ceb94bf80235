/** Lets a script write although Redis has reached its `maxmemory`: it makes room, or takes next to none. */
export const allowOutOfMemory = '#!lua flags=allow-oom\n';

/**
 * Lua: `placeJobs(shard, counts)` gives every waiting job that has none its offsets, in the order in which they wait.
 * Jobs come in on the left, so the newest that has offsets ends the search. `counts`: how many events jobs hold, by
 * their ids, as far as it is known.
 */
export const placeJobs = `
local function countOf(job)
  local isRead, data = pcall(cjson.decode, redis.call('HGET', job, 'data') or '')
  if isRead and type(data) == 'table' and type(data.events) == 'table' and #data.events > 0 then
    return #data.events
  end
  return 1
end

local function placeJobs(shard, counts)
  local fresh = {}
  while true do
    local id = redis.call('LINDEX', shard .. 'wait', #fresh)
    if not id or redis.call('HEXISTS', shard .. id, 'macpOffset') == 1 then break end
    fresh[#fresh + 1] = id
  end
  if #fresh == 0 then return end
  local offset = tonumber(redis.call('HGET', shard .. 'position', 'next') or '0')
  local bytes = 0
  for index = #fresh, 1, -1 do
    local job = shard .. fresh[index]
    local count = counts[fresh[index]] or countOf(job)
    redis.call('HSET', job, 'macpOffset', offset, 'macpCount', count)
    offset = offset + count
    bytes = bytes + redis.call('HSTRLEN', job, 'data')
  end
  redis.call('HSET', shard .. 'position', 'next', offset)
  redis.call('HINCRBY', shard .. 'position', 'bytes', bytes)
end
`;
