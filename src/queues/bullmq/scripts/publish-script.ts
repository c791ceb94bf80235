import { changedReply } from './fence.ts';
import { allowOutOfMemory, placeJobs } from './place-jobs.ts';

/** What is answered while the number of shards is being changed. */
export const changingReply = 'CHANGING';

/**
 * Runs in one transaction behind the jobs of a group that BullMQ has just added: gives them their offsets, or takes
 * them back where the group is there already, because its answer was lost, where not all of it could be added, and where
 * the queue has another layout by now or is being given one.
 *
 * KEYS: the guard; the change; what the publisher published last; then what the keys of each shard begin with.
 * ARGV: the queue's id; the group's number; for how many seconds it is remembered; the channel; then for each job the
 * index of its shard among the shards, its id and how many events it holds.
 * Answers with nil, or with why, when it took the jobs back for good, else with the offset of each job, then the bytes
 * that wait in each shard.
 */
export const publishScript = `${allowOutOfMemory}${placeJobs}
local publisher, group = KEYS[3], tonumber(ARGV[2])
local jobs, counts, isWhole = {}, {}, true
for at = 5, #ARGV, 3 do
  local shard = tonumber(ARGV[at]) + 4
  local job = { shard = shard, id = ARGV[at + 1], key = KEYS[shard] .. ARGV[at + 1] }
  jobs[#jobs + 1] = job
  counts[shard] = counts[shard] or {}
  counts[shard][job.id] = tonumber(ARGV[at + 2])
  isWhole = isWhole and redis.call('EXISTS', job.key) == 1
end

local function takeBack()
  for _, job in ipairs(jobs) do
    if redis.call('HEXISTS', job.key, 'macpOffset') == 0 and redis.call('DEL', job.key) == 1 then
      redis.call('LREM', KEYS[job.shard] .. 'wait', 1, job.id)
    end
  end
end

local known = redis.call('HMGET', publisher, 'group', 'offsets')
local knownGroup = tonumber(known[1] or '-1')
local layoutId = redis.call('HGET', KEYS[1], 'id')
local offsets
if knownGroup >= group then
  takeBack()
  if knownGroup > group then return false end
  offsets = cjson.decode(known[2])
elseif layoutId and layoutId ~= ARGV[1] then
  takeBack()
  return '${changedReply}'
elseif redis.call('EXISTS', KEYS[2]) == 1 then
  takeBack()
  return '${changingReply}'
elseif not isWhole then
  takeBack()
  return false
else
  for shard, ofShard in pairs(counts) do placeJobs(KEYS[shard], ofShard) end
  offsets = {}
  for index, job in ipairs(jobs) do offsets[index] = redis.call('HGET', job.key, 'macpOffset') end
  redis.call('HSET', publisher, 'group', group, 'offsets', cjson.encode(offsets))
  redis.call('EXPIRE', publisher, ARGV[3])
  for shard, _ in pairs(counts) do redis.call('PUBLISH', ARGV[4], shard - 4) end
end
local answer = {}
for index, offset in ipairs(offsets) do answer[index] = tonumber(offset) end
for index = 4, #KEYS do
  answer[#answer + 1] = tonumber(redis.call('HGET', KEYS[index] .. 'position', 'bytes') or '0')
end
return answer
`;
