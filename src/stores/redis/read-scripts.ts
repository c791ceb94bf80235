import { defineScript, type Script } from '../../redis/connection.ts';

/**
 * A session as of one moment: its cursor, and the documents that are asked for, each null where there is none.
 * KEYS: cursors, then those of the documents. ARGV: session.
 */
export const openViewScript: Script = defineScript(`
local found = { redis.call('HGET', KEYS[1], ARGV[1]) }
for at = 2, #KEYS do found[at] = redis.call('GET', KEYS[at]) end
return found
`);

/** Most entries of a page, and how many bytes it ends after. */
const pageEntries = 1_000;
const pageBytes = 256 * 1024;
/** Most bytes that are taken out of a log at a time, unless one entry alone is larger. */
const bytesAtOnce = 4 * 1024 * 1024;

/**
 * A page of the log of one generation, or false when that log was replaced too long ago. It grows by as many entries
 * as are expected to fit, at first by few; never by so many that they could be larger than some MiB together, which
 * the size of the largest entry tells.
 *
 * KEYS: generations, log as it is, log as it was replaced, sizes of large entries. ARGV: session, generation, first
 * ordinal, number of entries, size that no entry of a session without a size exceeds.
 */
export const logPageScript: Script = defineScript(`
local list = KEYS[2]
if redis.call('EXISTS', KEYS[3]) == 1 then
  list = KEYS[3]
elseif (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[2] then
  return false
end
local largest = tonumber(redis.call('ZSCORE', KEYS[4], ARGV[1]) or ARGV[5])
local most = math.max(1, math.floor(${bytesAtOnce} / largest))
local first, left = tonumber(ARGV[3]), math.min(tonumber(ARGV[4]), ${pageEntries})
local page, bytes, step = {}, 0, math.min(most, 16)
while left > 0 and bytes < ${pageBytes} do
  local count = math.min(step, left)
  local entries = redis.call('LRANGE', list, first, first + count - 1)
  for _, entry in ipairs(entries) do
    page[#page + 1] = entry
    bytes = bytes + #entry
  end
  if #entries < count then break end
  first, left = first + count, left - count
  local mean = math.max(1, bytes / #page)
  step = math.max(1, math.min(most, math.ceil((${pageBytes} - bytes) / mean)))
end
return page
`);
