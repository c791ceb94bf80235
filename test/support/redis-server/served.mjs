// A server of its own process, forked: node served.mjs OPTIONS, the options in JSON. Tells its port; ends when it is
// disconnected. What it can be asked is made for tests, see `commands` below.

/**
 * @import { RedisConversation, RedisReply, RedisRequest } from '../../../src/ports/redis-peer.ts'
 * @import { RedisServerLimits } from '../../../src/redis-server/limits.ts'
 */

/**
 * @typedef {object} Options
 * @property {string} build URL of the built `src`
 * @property {string} [password]
 * @property {Partial<RedisServerLimits>} [limits]
 */

/** @type {Options} */
const { build, password, limits = {} } = JSON.parse(process.argv[2] ?? '');
const { openRedisServer } = await import(`${build}/redis-server/server.js`);
const { redisServerLimits } = await import(`${build}/redis-server/limits.js`);
const { systemClock } = await import(`${build}/platform/system-clock.js`);
const { pino } = await import('pino');

/** Milliseconds of the machine's clock, the same in every process. */
const elapsed = () => Number(process.hrtime.bigint()) / 1e6;

/** @type {(() => void)[]} */
const held = [];
/** @type {Map<string, number>} */
const counts = new Map();

/** @type {Record<string, { least: number, most: number, answer: (args: string[], arrived: number) => RedisReply | undefined | Promise<RedisReply | undefined> }>} */
const commands = {
  /** When it arrived. */
  STAMP: { least: 0, most: 1, answer: (_, arrived) => bulk(String(arrived)) },
  /** Holds the event loop up for so many milliseconds. */
  BLOCK: {
    least: 1,
    most: 1,
    answer([milliseconds]) {
      const end = elapsed() + Number(milliseconds);
      while (elapsed() < end);
      return ok;
    },
  },
  /** Answered only after RELEASE. */
  HOLD: { least: 0, most: 1, answer: () => new Promise((resolve) => held.push(() => resolve(ok))) },
  RELEASE: { least: 0, most: 0, answer: () => integer(held.splice(0).map((release) => release()).length) },
  /** Counts; `COUNTED key` tells how often that was done. */
  COUNT: {
    least: 1,
    most: 2,
    answer([key = '']) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return ok;
    },
  },
  COUNTED: { least: 1, most: 1, answer: ([key = '']) => integer(counts.get(key) ?? 0) },
  /** So many bytes. */
  BYTES: { least: 1, most: 1, answer: ([count]) => ({ kind: 'bulk', bytes: Buffer.alloc(Number(count), 'x') }) },
  /** So many values of so many bytes, never held together. */
  STREAM: {
    least: 2,
    most: 2,
    answer: ([count, size]) => ({
      kind: 'stream',
      of: 'array',
      count: Number(count),
      chunks: values(Number(count), Number(size)),
    }),
  },
  /** No certain answer. */
  CUT: { least: 0, most: 0, answer: () => undefined },
};

/** @type {RedisReply} */
const ok = { kind: 'simple', text: 'OK' };

/**
 * @param {string} text
 * @returns {RedisReply}
 */
function bulk(text) {
  return { kind: 'bulk', bytes: Buffer.from(text) };
}

/**
 * @param {number} value
 * @returns {RedisReply}
 */
function integer(value) {
  return { kind: 'integer', value };
}

/**
 * @param {number} count
 * @param {number} size
 */
async function* values(count, size) {
  for (let index = 0; index < count; index += 1) yield [Buffer.alloc(size, 'x')];
}

/** @param {RedisRequest} request */
async function answer({ command, arguments: args, arrived }) {
  return commands[command]?.answer(args.map(String), arrived);
}

/** @returns {RedisConversation} */
function converse() {
  return {
    request: answer,
    async transaction(requests) {
      const items = await Promise.all(requests.map(answer));
      return items.every((item) => item !== undefined) ? { kind: 'array', items } : undefined;
    },
    closed: () => undefined,
  };
}

const server = await openRedisServer({
  peer: { commands: new Map(Object.entries(commands)), converse },
  host: '127.0.0.1',
  port: 0,
  password,
  identity: undefined,
  limits: { ...redisServerLimits, ...limits },
  version: '0.0.0',
  logger: pino({ level: 'info' }, pino.destination(2)),
  clock: { ...systemClock, elapsed },
});
process.on('disconnect', () => process.exit());
process.send?.({ port: server.address.port });
