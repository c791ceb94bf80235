import { defineScript } from '../../../redis/connection.ts';
import { layoutFence } from './fence.ts';
import { allowOutOfMemory } from './place-jobs.ts';

/**
 * KEYS: the guard; what the keys of each shard begin with. ARGV: the queue's id; the id of an archive, or nothing; the
 * id of one that is given up for it, or nothing. The first archive that comes is the queue's; another takes its place
 * only where that is given up, and knows nothing of what it held. Answers with the id of the queue's archive, or
 * nothing, and with what the change of its shards noted of the one before, as JSON, while it has begun none since.
 */
export const settleArchiveScript = defineScript(`${allowOutOfMemory}${layoutFence}
local noted = redis.call('HMGET', KEYS[1], 'archive', 'archiveBefore')
local archive, before = noted[1] or '', noted[2] or ''
if ARGV[3] ~= '' and archive == ARGV[3] then
  for index = 2, #KEYS do
    redis.call('HDEL', KEYS[index] .. 'position', 'archived')
    redis.call('HINCRBY', KEYS[index] .. 'position', 'archiver', 1)
  end
  redis.call('HDEL', KEYS[1], 'archive')
  archive = ''
end
local isGivenUp = before ~= '' and cjson.decode(before).archive == ARGV[3]
if archive == '' and ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'archive', ARGV[2])
  archive = ARGV[2]
end
if before ~= '' and (isGivenUp or archive ~= '') then
  redis.call('HDEL', KEYS[1], 'archiveBefore')
  before = ''
end
return { archive, before }
`);

/**
 * Makes whoever owns a shard the one that archives it: from now on nobody that did so before has anything confirmed.
 *
 * KEYS: the guard; what the group's keys begin with; what the keys of the shard begin with. ARGV: the queue's id; the
 * shard; the member of the group; the id of its archive. Answers with the id of the queue's archive where that is another one; nil where
 * another member owns the shard; else with the number of this archiver, the first offset held, the digest of the record
 * before it, and the offset behind what was ever archived, or -1.
 */
export const claimArchiveScript = defineScript(`${allowOutOfMemory}${layoutFence}
local found = redis.call('HGET', KEYS[1], 'archive') or ''
if found ~= ARGV[4] then return found end
if redis.call('HGET', KEYS[2] .. 'owners', ARGV[2]) ~= ARGV[3] then return false end
local position = KEYS[3] .. 'position'
local archiver = redis.call('HINCRBY', position, 'archiver', 1)
local held = redis.call('HMGET', position, 'start', 'digest', 'archived')
return { archiver, tonumber(held[1] or '0'), held[2] or '', tonumber(held[3] or '-1') }
`);

/**
 * KEYS: the guard; what the keys of a shard begin with. ARGV: the queue's id; the number of an archiver; the offset
 * behind what it has archived, durably. Answers with 1, or 0 where somebody else archives the shard by now: then it counts for nothing.
 */
export const confirmArchivedScript = defineScript(`${allowOutOfMemory}${layoutFence}
local position = KEYS[2] .. 'position'
if redis.call('HGET', position, 'archiver') ~= ARGV[2] then return 0 end
redis.call('HSET', position, 'archived', ARGV[3])
return 1
`);
