import { defineScript, type Script } from '../../redis/connection.ts';

/**
 * Most arguments that a script passes to a command: Lua's stack holds 8,000, and a step that takes less at a time
 * costs more.
 */
export const argumentsAtOnce = 4_000;

/**
 * Commits one bucket's part of a plan: everything is checked before anything is written, and what is written can fail
 * at nothing but the checks (types, cursors, lengths of logs, numbers), so a script that fails leaves every key as it
 * was. The first write is one that Redis refuses when its memory is full; after it Redis lets a script end.
 *
 * `ARGV[1]` is JSON, `CommitControl`; all else is bytes, which it refers to by index. Answers `{'applied'}`;
 * `{'already'}` when everything stands where the plan leads; or what was found instead: `{'position', n, stored}`,
 * `{'cursor', n, stored}`, `{'identity'}`, `{'type', key, found}`, `{'length', key, found}`, `{'total', name}`; `n` counts from 0.
 */
export const commitScript: Script = defineScript(`
local control = cjson.decode(ARGV[1])
local at_once = ${argumentsAtOnce}

local types = { s = 'string', l = 'list', h = 'hash', e = 'set', z = 'zset' }
for index, key in ipairs(KEYS) do
  local expected = types[string.sub(control.types, index, index)]
  if expected then
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= expected then return { 'type', index, found } end
  end
end

if control.identityKey > 0 and redis.call('GET', KEYS[control.identityKey]) ~= control.identity then
  return { 'identity' }
end

local is_before, is_after, mismatch = true, true, nil
local function differs(what, n, found)
  if is_before then mismatch = { what, n, found or '' } end
  is_before = false
end

-- Calls compare(n, stored) for every member of a hash that is named in every second argument from the first on.
local function each_stored(key, first, count, compare)
  for done = 0, count - 1, at_once do
    local names, last = {}, math.min(done + at_once, count) - 1
    for n = done, last do names[n - done + 1] = ARGV[first + 2 * n] end
    local stored = redis.call('HMGET', key, unpack(names))
    for n = done, last do compare(n, stored[n - done + 1]) end
  end
end

local positions, versions = control.positions, control.versions
local cursors = 2 + 3 * positions
if positions > 0 then
  each_stored(KEYS[control.positionsKey], 2, positions, function(n, found)
    if (found or '') ~= ARGV[2 + 2 * positions + n] then differs('position', n, found) end
    if found ~= ARGV[3 + 2 * n] then is_after = false end
  end)
end

-- The version of a cursor stands behind its first byte, seven bits a byte, the lowest first.
local function version_of(cursor)
  if not cursor then return -1 end
  local version, scale = 0, 1
  for at = 2, 9 do
    local byte = string.byte(cursor, at)
    if not byte then return -2 end
    if byte < 128 then return version + byte * scale end
    version, scale = version + (byte - 128) * scale, scale * 128
  end
  return -2
end
if #versions > 0 then
  each_stored(KEYS[control.cursorsKey], cursors, #versions, function(n, found)
    if version_of(found) ~= versions[n + 1] then differs('cursor', n, found) end
    if found ~= ARGV[cursors + 2 * n + 1] then is_after = false end
  end)
end
if not is_before then
  if is_after then return { 'already' } end
  return mismatch
end

local logs = control.logs
for n = 1, #logs, 3 do
  local found = redis.pcall('LLEN', KEYS[logs[n]])
  if type(found) == 'table' then return { 'type', logs[n], redis.call('TYPE', KEYS[logs[n]]).ok } end
  if found ~= logs[n + 1] then return { 'length', logs[n], found } end
end

local names, added = {}, {}
local function add(name, by)
  if not added[name] then
    names[#names + 1] = name
    added[name] = 0
  end
  added[name] = added[name] + by
end
for n = 1, #control.totals, 2 do add(control.totals[n], control.totals[n + 1]) end
for n = 1, #control.unreadable, 2 do
  if redis.call('HEXISTS', KEYS[control.filedKey], ARGV[control.unreadable[n]]) == 0 then
    add(control.unreadable[n + 1], 1)
  end
end
local totals = {}
if #names > 0 then
  local stored = redis.call('HMGET', KEYS[control.totalsKey], unpack(names))
  for n, name in ipairs(names) do
    local total = tonumber(stored[n] or '0')
    if not total or total + added[name] < 0 then return { 'total', name } end
    totals[2 * n - 1], totals[2 * n] = name, string.format('%.0f', total + added[name])
  end
end

local steps = control.steps
for n = 1, #steps, 4 do
  redis.call(steps[n], KEYS[steps[n + 1]], unpack(ARGV, steps[n + 2], steps[n + 3]))
end
local at = control.entries
for n = 1, #logs, 3 do
  local left = logs[n + 2]
  while left > 0 do
    local count = math.min(left, at_once)
    redis.call('RPUSH', KEYS[logs[n]], unpack(ARGV, at, at + count - 1))
    at, left = at + count, left - count
  end
end
if #totals > 0 then redis.call('HSET', KEYS[control.totalsKey], unpack(totals)) end
return { 'applied' }
`);

/** What the commit script is told beside the bytes. Keys and arguments are counted from 1, as Lua does. */
export interface CommitControl {
  /** A letter a key: `s`tring, `l`ist, `h`ash, s`e`t, `z` sorted set; `-` where the length of a list tells. */
  types: string;
  /** How many positions there are: from `ARGV[2]` on name and new value of each, then all the old values. */
  positions: number;
  positionsKey: number;
  /** Versions of the stored cursors, -1 for none; behind the positions stand session and new cursor of each. */
  versions: number[];
  cursorsKey: number;
  /** Key of a log, how many entries it must have, and how many are added to it, in turns. */
  logs: number[];
  /** Where the entries begin, those of the first log first. They are added when all steps are done. */
  entries: number;
  /** Name of a total and what is added to it, in turns. */
  totals: (string | number)[];
  totalsKey: number;
  /** Argument that names a dead letter without a session, and the total that it adds to when it is new, in turns. */
  unreadable: (string | number)[];
  filedKey: number;
  /** What the store must still name itself; 0: this bucket does not say. */
  identity: string;
  identityKey: number;
  /** Commands: name, key, first and last argument, in turns. */
  steps: (string | number)[];
}
