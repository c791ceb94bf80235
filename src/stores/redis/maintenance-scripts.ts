import { defineScript, type Script } from '../../redis/connection.ts';

/** Writes something, so that there is something to wait for. KEYS: barrier. */
export const barrierScript: Script = defineScript(`
return redis.call('SET', KEYS[1], '', 'PX', 60000)
`);

/** Replaces a text that is still the expected one. KEYS: the text. ARGV: expected, new. */
export const exchangeScript: Script = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`);

/**
 * Of each session its cursor, whether upstream's set names it, how long its log is (-1: it is none), and whether it has
 * a receipt. KEYS: cursors, upstream's set, then log and receipt of each. ARGV: sessions.
 */
export const surveyScript: Script = defineScript(`
local found = {}
for n, session in ipairs(ARGV) do
  local entries = redis.pcall('LLEN', KEYS[2 * n + 1])
  found[n] = {
    redis.call('HGET', KEYS[1], session),
    redis.call('SISMEMBER', KEYS[2], session),
    type(entries) == 'number' and entries or -1,
    redis.call('EXISTS', KEYS[2 * n + 2]),
  }
end
return found
`);

/**
 * Tries every command of the other scripts where it changes nothing: most fail on the identity, which is a text. What
 * the server does not allow, or does not know, is told before a commit finds it out half way. A server that takes no
 * writes at present has looked at the permissions first. KEYS: identity, a key that is none.
 */
export const permissionsScript: Script = defineScript(`
local key, none = KEYS[1], KEYS[2]
local commands = {
  { 'TYPE', key }, { 'EXISTS', key }, { 'GET', key }, { 'HGET', key, '' }, { 'HMGET', key, '' },
  { 'HEXISTS', key, '' }, { 'LLEN', key }, { 'LRANGE', key, 0, 0 }, { 'ZSCORE', key, '' },
  { 'HSET', key, '', '' }, { 'HDEL', key, '' }, { 'RPUSH', key, '' }, { 'SISMEMBER', key, '' }, { 'SADD', key, '' }, { 'SREM', key, '' },
  { 'ZADD', key, '0', '' }, { 'SET', key, '', 'NX' }, { 'RENAME', none, none },
  { 'DEL', none }, { 'PEXPIRE', none, '1' },
}
local allowed = { 'WRONGTYPE', 'no such key', 'READONLY', 'OOM ', 'MISCONF', 'NOREPLICAS' }
for _, command in ipairs(commands) do
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err then
    local expected = false
    for _, part in ipairs(allowed) do expected = expected or string.find(answer.err, part, 1, true) end
    if not expected then return redis.error_reply('NOPERM ' .. command[1] .. ': ' .. answer.err) end
  end
end
return 'allowed'
`);
