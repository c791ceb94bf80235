import { defineScript } from '../../../redis/connection.ts';
import { layoutFence } from './fence.ts';
import { allowOutOfMemory } from './place-jobs.ts';

/**
 * Says that a member of the group lives, gives up shards of its own, and takes free ones up to its share.
 *
 * KEYS: the guard; what the group's keys begin with. ARGV: the queue's id; the member; milliseconds for which it counts
 * as alive; the store that it fills, or nothing; the number of shards; the channel; then the shards that it gives up.
 * Answers with the store that the others fill where that is another one; else with the milliseconds until the next
 * member would be missed, the shards that it is to give up, and the shards that are its own, those included.
 */
export const attendScript = defineScript(`${allowOutOfMemory}${layoutFence}
local members, stores, owners = KEYS[2] .. 'members', KEYS[2] .. 'stores', KEYS[2] .. 'owners'
local me, store, shards, channel = ARGV[2], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local hasChanged = false

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', now)) do
  redis.call('ZREM', members, gone)
  redis.call('HDEL', stores, gone)
  hasChanged = true
end
if not redis.call('ZSCORE', members, me) then
  for _, other in ipairs(redis.call('HVALS', stores)) do
    if other ~= '' and store ~= '' and other ~= store then return other end
  end
  hasChanged = true
end
redis.call('ZADD', members, now + ARGV[3], me)
redis.call('HSET', stores, me, store)

for at = 7, #ARGV do
  if redis.call('HGET', owners, ARGV[at]) == me then
    redis.call('HDEL', owners, ARGV[at])
    hasChanged = true
  end
end

local counts = {}
local living = redis.call('ZRANGE', members, 0, -1)
for _, member in ipairs(living) do counts[member] = 0 end
local mine, free = {}, {}
for shard = 0, shards - 1 do
  local owner = redis.call('HGET', owners, shard)
  if owner and counts[owner] then counts[owner] = counts[owner] + 1 else free[#free + 1] = shard end
  if owner == me then mine[#mine + 1] = shard end
end
-- Who has most may keep one more where the shards do not divide evenly.
table.sort(living, function(one, other)
  if counts[one] ~= counts[other] then return counts[one] > counts[other] end
  return one < other
end)
local share = math.floor(shards / #living)
for rank = 1, shards % #living do
  if living[rank] == me then share = share + 1 end
end
for _, shard in ipairs(free) do
  if #mine < share then
    redis.call('HSET', owners, shard, me)
    mine[#mine + 1] = shard
  end
end
local surplus = {}
for index = share + 1, #mine do surplus[#surplus + 1] = mine[index] end
if hasChanged then redis.call('PUBLISH', channel, 'group') end
local soonest = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
return { soonest - now, surplus, mine }
`);

/** KEYS: what the group's keys begin with. ARGV: the member; the channel. The member is gone, and its shards are free. */
export const leaveScript = defineScript(`${allowOutOfMemory}
local owners = KEYS[1] .. 'owners'
redis.call('ZREM', KEYS[1] .. 'members', ARGV[1])
redis.call('HDEL', KEYS[1] .. 'stores', ARGV[1])
local owned = redis.call('HGETALL', owners)
for at = 1, #owned, 2 do
  if owned[at + 1] == ARGV[1] then redis.call('HDEL', owners, owned[at]) end
end
return redis.call('PUBLISH', ARGV[2], 'group')
`);
