/** Removes from services that somebody gave us what was put there under a prefix, and nothing else. */

/**
 * Deletes the topics and the groups of consumers whose names begin with `prefix`.
 *
 * @param {string} address `host:port` of brokers, with commas between
 * @param {string} prefix
 */
export async function cleanKafka(address, prefix) {
  await withAdmin(address, async (admin) => {
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const names = groups.map(({ groupId }) => groupId).filter((name) => name.startsWith(prefix));
    if (names.length > 0) await admin.deleteGroups(names);
  });
}

/**
 * Throws unless a broker answers at one of the addresses.
 *
 * @param {string} address
 */
export async function reachKafka(address) {
  await withAdmin(address, (admin) => admin.describeCluster());
}

/**
 * Deletes the keys that begin with `prefix`.
 *
 * @param {string} address `redis://…`
 * @param {string} prefix
 */
export async function cleanRedis(address, prefix) {
  const match = `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
  await withRedis(address, async (redis) => {
    for await (const keys of redis.scanStream({ match, count: 1000 })) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  });
}

/**
 * Throws unless a Redis answers at the address.
 *
 * @param {string} address
 */
export async function reachRedis(address) {
  await withRedis(address, (redis) => redis.ping());
}

/**
 * @param {string} address
 * @param {(admin: import('kafkajs').Admin) => Promise<unknown>} act
 */
async function withAdmin(address, act) {
  // Imported late: the scripts start before the packages are installed.
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const brokers = address.split(',');
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 2 } }).admin();
  try {
    await admin.connect();
    await act(admin);
  } finally {
    await admin.disconnect();
  }
}

/**
 * @param {string} address
 * @param {(redis: import('ioredis').Redis) => Promise<unknown>} act
 */
async function withRedis(address, act) {
  const { Redis } = await import('ioredis');
  const redis = new Redis(address, { lazyConnect: true, retryStrategy: () => null });
  /** @type {Error | undefined} */
  let reason;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    await act(redis);
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}
