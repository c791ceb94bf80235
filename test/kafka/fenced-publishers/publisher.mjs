// Publishes under the name "one", forked: node publisher.mjs OPTIONS, the options in JSON. Sends one command after the
// other for each session until one is refused. Tells its parent what became of each, and waits for a message of its
// parent where in a transaction it is to stop.

/**
 * @typedef {object} Options
 * @property {string} build URL of the built `src`
 * @property {object} queue options of `openKafkaQueue` that are data
 * @property {readonly string[]} sessions
 * @property {string} [stop] `before` or `behind` a method of `ClusterLink`, once the publisher is open
 */

/** @type {Options} */
const options = JSON.parse(process.argv[2] ?? '');
const { build, sessions, stop } = options;
const { systemClock } = await import(`${build}/platform/system-clock.js`);
const { someCommand } = await import(`${build}/conformance/queue-samples.js`);
const { openKafkaQueue } = await import(`${build}/queues/kafka/open-kafka-queue.js`);
const { ClusterLink } = await import(`${build}/queues/kafka/publishing/broker-link.js`);

async function reached() {
  const goOn = new Promise((resolve) => process.once('message', resolve));
  process.send?.({ reached: stop });
  await goOn;
}

const queue = await openKafkaQueue({ ...options.queue, clock: systemClock, onLog: () => undefined });
const publisher = await queue.fencedPublisher('one');

if (stop !== undefined) {
  const [moment, step = ''] = stop.split(' ');
  const take = ClusterLink.prototype[step];
  ClusterLink.prototype[step] = /** @this {unknown} @param {...unknown} given */ async function (...given) {
    ClusterLink.prototype[step] = take;
    if (moment === 'before') await reached();
    const answer = await take.apply(this, given);
    if (moment === 'behind') await reached();
    return answer;
  };
}

/** @param {string} session */
async function publish(session) {
  for (let sequence = 1; ; sequence += 1) {
    try {
      const [position] = await publisher.publish([someCommand(session, sequence)]);
      process.send?.({ session, sequence, outcome: 'durable', position });
    } catch (error) {
      process.send?.({ session, sequence, outcome: codeOf(error) });
      return;
    }
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : String(error);
}

await Promise.all(sessions.map(publish));
await publisher.settle().catch((/** @type {unknown} */ error) => process.send?.({ settled: codeOf(error) }));
await queue.close();
process.disconnect();
