/** What a script answers instead of running: the queue is another one than was opened. */
export const changedReply = 'CHANGED';

/**
 * Lua, before anything is done: ends the script where the queue was given another layout since it was opened. A queue
 * without its guard is let through, so that what is missing is found. KEYS[1]: the guard. ARGV[1]: the id of the queue.
 */
export const layoutFence = `
local layoutId = redis.call('HGET', KEYS[1], 'id')
if layoutId and layoutId ~= ARGV[1] then return '${changedReply}' end
`;
