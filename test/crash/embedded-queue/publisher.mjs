// Publishes until it is killed: node publisher.mjs DIRECTORY ROUND BUILD, where BUILD is the URL of the built `src`.
// Prints `SESSION SEQUENCE PARTITION OFFSET` for every command that was acknowledged.
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';

const [directory, round, build] = process.argv.slice(2);
const { commandWithData } = await import(`${build}/conformance/queue-samples.js`);
const { nodeFileSystem } = await import(`${build}/platform/node-file-system.js`);
const { systemClock } = await import(`${build}/platform/system-clock.js`);
const { openEmbeddedQueue } = await import(`${build}/queues/embedded/open-embedded-queue.js`);

const queue = await openEmbeddedQueue({
  directory,
  fileSystem: nodeFileSystem,
  clock: systemClock,
  newId: randomUUID,
  segmentBytes: 60_000,
});

/** @param {number} caller */
async function publish(caller) {
  const session = `round-${round}-caller-${caller}`;
  for (let sequence = 1; ; sequence += 1) {
    const data = Buffer.alloc(100 + ((caller * 37) % 700), `${session}/${sequence} `);
    const [position] = await queue.publish([commandWithData(session, sequence, data)]);
    writeSync(1, `${session} ${sequence} ${position.partition} ${position.offset}\n`);
  }
}

await Promise.all(Array.from({ length: 40 }, (_, caller) => publish(caller)));
