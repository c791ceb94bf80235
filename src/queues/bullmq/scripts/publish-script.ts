import { allowOutOfMemory, placeJobs } from './place-jobs.ts';

/**
 * Runs in one transaction behind the jobs of a group that BullMQ has just added: gives them their offsets, or takes
 * them back where the group is there already, because its answer was lost, or where not all of it could be added.
 *
 * KEYS: what the publisher published last; then what the keys of each shard begin with.
 * ARGV: the group's number; for how many seconds it is remembered; the channel; then for each job the index of its
 * shard among the shards, its id and how many events it holds.
 * Answers with nil when it took the jobs back for good, else with the offset of each job, then the bytes that wait in
 * each shard.
 */
export const publishScript = `${allowOutOfMemory}${placeJobs}
local publisher, group = KEYS[1], tonumber(ARGV[1])
local jobs, counts, isWhole = {}, {}, true
for at = 4, #ARGV, 3 do
  local shard = tonumber(ARGV[at]) + 2
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
local offsets
if knownGroup >= group then
  takeBack()
  if knownGroup > group then return false end
  offsets = cjson.decode(known[2])
elseif not isWhole then
  takeBack()
  return false
else
  for shard, ofShard in pairs(counts) do placeJobs(KEYS[shard], ofShard) end
  offsets = {}
  for index, job in ipairs(jobs) do offsets[index] = redis.call('HGET', job.key, 'macpOffset') end
  redis.call('HSET', publisher, 'group', group, 'offsets', cjson.encode(offsets))
  redis.call('EXPIRE', publisher, ARGV[2])
  for shard, _ in pairs(counts) do redis.call('PUBLISH', ARGV[3], shard - 2) end
end
local answer = {}
for index, offset in ipairs(offsets) do answer[index] = tonumber(offset) end
for index = 2, #KEYS do
  answer[#answer + 1] = tonumber(redis.call('HGET', KEYS[index] .. 'position', 'bytes') or '0')
end
return answer
`;
