// One worker of a group, forked: node member.mjs OPTIONS, the options in JSON. Its store is its parent: it asks for
// positions, and every commit names the position that it starts from. Ends when it is disconnected.
import { EventEmitter, once } from 'node:events';

/**
 * @typedef {object} Options
 * @property {string} build URL of the built `src`
 * @property {string} address
 * @property {{ name: string, id: string, partitions: number }} topic
 * @property {string} groupId
 * @property {number} sessionTimeout
 */

/** @type {Options} */
const { build, address, topic, groupId, sessionTimeout } = JSON.parse(process.argv[2] ?? '');
const { createKafka } = await import(`${build}/queues/kafka/connection/create-kafka.js`);
const { openCluster } = await import(`${build}/queues/kafka/connection/cluster.js`);
const { openKafkaConsumer } = await import(`${build}/queues/kafka/consumer/open-kafka-consumer.js`);
const { prepareCodecs } = await import(`${build}/queues/kafka/protocol/compression/expand.js`);
const { systemClock } = await import(`${build}/platform/system-clock.js`);

await prepareCodecs();
const connection = { brokers: [address], clientId: 'member', connectionTimeout: 5_000, requestTimeout: 5_000 };
const kafka = createKafka(connection, () => undefined);
const events = new EventEmitter();
for (const name of ['assigned', 'revoked']) events.on(name, (partitions) => process.send?.({ told: name, partitions }));
process.on('disconnect', () => process.exit());

let asked = 0;
/** @param {object} question */
async function ask(question) {
  asked += 1;
  const id = asked;
  process.send?.({ ...question, id });
  for (;;) {
    const [answer] = await once(process, 'message');
    if (answer.id === id) return answer;
  }
}

for (;;) {
  /** @type {Map<number, number>} */
  const next = new Map();
  let settled = Promise.resolve();
  const handler = {
    /** @param {readonly number[]} partitions */
    async assigned(partitions) {
      /** @type {{ positions: [number, { next: number } | undefined][] }} */
      const { positions } = await ask({ ask: 'positions', partitions });
      for (const [partition, position] of positions) next.set(partition, position?.next ?? 0);
      return new Map(positions);
    },
    async revoked() {
      await new Promise((resolve) => setImmediate(resolve));
      await settled;
    },
  };
  const options = { openCluster: () => openCluster(kafka), clock: systemClock, topic, groupId, sessionTimeout, events };
  const consumer = await openKafkaConsumer(options, handler);
  for (let isDisplaced = false; !isDisplaced; ) {
    const batch = await consumer.take({ deliveries: 50, bytes: 1 << 20 });
    const to = new Map();
    for (const delivery of batch) {
      const { partition, offset } = delivery.position;
      to.set(partition, { next: offset + 1, digest: delivery.recordDigest() });
    }
    const steps = [...to].map(([partition, position]) => ({ partition, from: next.get(partition), to: position }));
    const committed = ask({ ask: 'commit', steps });
    settled = committed;
    isDisplaced = !(await committed).isDone;
    if (isDisplaced) break;
    for (const [partition, position] of to) next.set(partition, position.next);
    await consumer.acknowledge(to);
  }
  await consumer.close();
}
