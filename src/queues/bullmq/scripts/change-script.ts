import { defineScript } from '../../../redis/connection.ts';
import { layoutFence } from './fence.ts';
import { allowOutOfMemory, placeJobs } from './place-jobs.ts';

/** What is answered once the queue has its new number of shards. */
export const doneReply = 'DONE';
/** What is answered where somebody else is changing it. */
export const busyReply = 'BUSY';

/**
 * One step towards another number of shards, to be said again until it is done. Keeps publishers out for a while, and
 * as soon as nothing waits in any shard makes another queue of it: with a new id, no positions, no members, and no archive
 * but the note of which one is to be gone on with.
 *
 * KEYS: the guard; the change; what the group's keys begin with; what the keys of each present shard begin with. ARGV:
 * the queue's id; its id afterwards, which also names who changes it; the new number of shards; for how many
 * milliseconds publishers are kept out; the channel.
 * Answers with how many commands wait, with DONE, also where that was so before, or with BUSY.
 */
export const changeScript = defineScript(`${allowOutOfMemory}
local guard, change, group = KEYS[1], KEYS[2], KEYS[3]
if redis.call('HGET', guard, 'id') == ARGV[2] then return '${doneReply}' end
${layoutFence}${placeJobs}
local holder = redis.call('GET', change)
if holder and holder ~= ARGV[2] then return '${busyReply}' end
redis.call('SET', change, ARGV[2], 'PX', ARGV[4])

local left, given, ends = 0, 0, {}
for index = 4, #KEYS do
  placeJobs(KEYS[index], {})
  local position = redis.call('HMGET', KEYS[index] .. 'position', 'start', 'next')
  local start, next = tonumber(position[1] or '0'), tonumber(position[2] or '0')
  left = left + math.max(next - start, redis.call('LLEN', KEYS[index] .. 'wait'))
  given = given + next
  ends[#ends + 1] = next
end
if left > 0 then return left end

-- Stores know what was last published to: one that nothing was published to leaves no trace.
if given > 0 or redis.call('HEXISTS', guard, 'continues') == 0 then
  redis.call('HSET', guard, 'continues', cjson.encode({ id = ARGV[1], ends = ends }))
end
-- Where nobody has begun an archive since the last change, the one before that is still to be gone on with.
local archive = redis.call('HGET', guard, 'archive')
if archive then
  redis.call('HSET', guard, 'archiveBefore', cjson.encode({ queue = ARGV[1], archive = archive }))
  redis.call('HDEL', guard, 'archive')
end
redis.call('HSET', guard, 'id', ARGV[2], 'shards', ARGV[3])
for index = 4, #KEYS do redis.call('DEL', KEYS[index] .. 'position') end
redis.call('DEL', change, group .. 'members', group .. 'stores', group .. 'owners')
redis.call('PUBLISH', ARGV[5], 'group')
return '${doneReply}'
`);

/** KEYS: the change. ARGV: who changes it. Lets publishers in again, unless somebody else keeps them out. */
export const giveUpScript = defineScript(`${allowOutOfMemory}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`);
