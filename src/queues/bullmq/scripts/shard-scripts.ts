import { defineScript } from '../../../redis/connection.ts';
import { layoutFence } from './fence.ts';
import { allowOutOfMemory, placeJobs } from './place-jobs.ts';

/**
 * KEYS: the guard; what the keys of the shard begin with. ARGV: the queue's id; an offset; most jobs; about how many bytes.
 * Answers with the first offset held, the digest of the record before it, the next offset to be given, and the jobs
 * from that on which holds the offset, flattened: first offset, count, id, time, data. Where somebody has put a job before all
 * others there is that one alone, with an offset of -1.
 */
export const readScript = defineScript(`${allowOutOfMemory}${layoutFence}${placeJobs}
local shard, wanted = KEYS[2], tonumber(ARGV[2])
placeJobs(shard, {})
local position = redis.call('HMGET', shard .. 'position', 'start', 'digest', 'next')
local answer = { tonumber(position[1] or '0'), position[2] or '', tonumber(position[3] or '0') }

local oldest = redis.call('LINDEX', shard .. 'wait', -1)
if oldest and redis.call('HEXISTS', shard .. oldest, 'macpOffset') == 0 then
  for _, part in ipairs({ -1, 0, '', '0', '' }) do answer[#answer + 1] = part end
  return answer
end

local function jobAt(index)
  local id = redis.call('LINDEX', shard .. 'wait', -1 - index)
  if not id then return nil end
  local place = redis.call('HMGET', shard .. id, 'macpOffset', 'macpCount')
  return id, tonumber(place[1] or '-1'), tonumber(place[2] or '0')
end

local low, high = 0, redis.call('LLEN', shard .. 'wait')
while low < high do
  local middle = math.floor((low + high) / 2)
  local _, offset, count = jobAt(middle)
  if offset + count <= wanted then low = middle + 1 else high = middle end
end

local bytes = 0
for index = low, low + tonumber(ARGV[3]) - 1 do
  local id, offset, count = jobAt(index)
  if not id or (bytes >= tonumber(ARGV[4])) then break end
  local held = redis.call('HMGET', shard .. id, 'timestamp', 'data')
  local data = held[2] or ''
  bytes = bytes + #data
  for _, part in ipairs({ offset, count, id, held[1] or '0', data }) do answer[#answer + 1] = part end
end
return answer
`);

/**
 * KEYS: the guard; what the keys of the shard begin with. ARGV: the queue's id; the offset behind the last event of a
 * job; the digest of the record before it; the id of that job. Removes every job up to there: the store has them.
 * Whoever does so may do it late, or twice; where another job ends there, Redis has come back with less than the store
 * has, and nothing is removed. Where the shard is archived, what is not yet archived stays.
 */
export const trimScript = defineScript(`${allowOutOfMemory}${layoutFence}
local shard, target = KEYS[2], tonumber(ARGV[2])
local position = redis.call('HMGET', shard .. 'position', 'start', 'next', 'archived')
if target <= tonumber(position[1] or '0') or target > tonumber(position[2] or '0') then return 0 end
if position[3] and target > tonumber(position[3]) then return 0 end
local last = redis.call('HMGET', shard .. ARGV[4], 'macpOffset', 'macpCount')
if not last[1] or last[1] + last[2] ~= target then return 0 end
local bytes, removed = 0, 0
while true do
  local id = redis.call('LINDEX', shard .. 'wait', -1)
  if not id then break end
  local place = redis.call('HMGET', shard .. id, 'macpOffset', 'macpCount')
  if not place[1] or place[1] + place[2] > target then break end
  bytes = bytes + redis.call('HSTRLEN', shard .. id, 'data')
  redis.call('RPOP', shard .. 'wait')
  redis.call('DEL', shard .. id, shard .. id .. ':logs')
  removed = removed + 1
end
redis.call('HSET', shard .. 'position', 'start', target, 'digest', ARGV[3])
redis.call('HINCRBY', shard .. 'position', 'bytes', -bytes)
return removed
`);

/**
 * KEYS: the guard; what the keys of each shard begin with. ARGV: the queue's id. Answers for each shard with its first
 * offset, its next one, and its bytes.
 */
export const boundsScript = defineScript(`${layoutFence}
local answer = {}
for index = 2, #KEYS do
  for _, number in ipairs(redis.call('HMGET', KEYS[index] .. 'position', 'start', 'next', 'bytes')) do
    answer[#answer + 1] = tonumber(number or '0')
  end
end
return answer
`);
