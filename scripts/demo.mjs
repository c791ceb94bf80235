/**
 * `npm run demo`: two streams of commands, recorded from real macp-runtimes, go through the queue into the store of a
 * fresh temporary directory; the worker is killed in the middle and started again; then the store must equal, byte for
 * byte, what the recorded runtimes' own stores held. Exits 1 when it does not.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDifference, inOneOrder, lines } from './demo/dumps.mjs';
import { describeSession, isTelling } from './demo/sessions.mjs';
import { persistWorker, runCommand } from './demo/workers.mjs';
import { build, installDependencies, Refusal, requireNode, root } from './project.mjs';

const recordings = [
  { runtime: 'macp-runtime 0.4.0', directory: 'test/fixtures/golden/v0.4.0' },
  { runtime: 'macp-runtime 0.13.0', directory: 'test/fixtures/golden/v0.13.0' },
];
/** Commands a commit, so that there are many commits to die between; smaller ones are tried when it was too quick. */
const batches = [16, 4, 1];
const samples = 2;

/** @param {string} path */
const read = (path) => readFileSync(join(root, path));

async function main() {
  requireNode();
  installDependencies();
  build();
  const expected = inOneOrder(recordings.map(({ directory }) => read(`${directory}/expected.ndjson`)));
  for (const batch of batches) {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'macp-persist-demo-'));
    try {
      const dump = await persist(dataDirectory, batch);
      if (dump !== undefined) return compare(dump, expected);
      console.log('   The worker was done before the kill reached it. Once more, with smaller commits.');
    } finally {
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  }
  throw new Refusal('The worker was too quick to be killed in the middle.');
}

/**
 * Publishes, persists with a kill in the middle, and dumps.
 *
 * @param {string} dataDirectory
 * @param {number} batch commands a commit
 * @returns {Promise<Buffer | undefined>} the dump; undefined when the kill came too late
 */
async function persist(dataDirectory, batch) {
  step(1, `Publish the recorded commands to the queue in ${dataDirectory}`);
  let total = 0;
  for (const { runtime, directory } of recordings) {
    const file = `${directory}/commands.ndjson`;
    total += lines(read(file)).length;
    console.log(`   ${runtime}: ${lines(read(file)).length} commands`);
    const said = await runCommand(dataDirectory, ['publish', file]);
    for (const line of lines(said)) console.log(`   | ${line}`);
  }

  step(2, `Start the worker (${batch} commands a commit), and kill it in the middle`);
  const half = Math.floor(total / 2);
  const first = await persistWorker(dataDirectory, batch, half);
  if (!first.killed) return undefined;
  console.log(`   SIGKILL once command ${first.seenAtKill} of ${total} was committed.`);

  step(3, 'Start the worker again');
  const second = await persistWorker(dataDirectory, batch, undefined);
  if (second.committed === 0) return undefined;
  console.log(
    `   It went on from what is durable: ${second.committed} commands were left, ${total - second.committed} were not touched again.`,
  );

  step(4, 'Dump the store');
  return await runCommand(dataDirectory, ['sessions', 'dump']);
}

/**
 * @param {Buffer} dump
 * @param {Buffer} expected
 */
function compare(dump, expected) {
  const sessions = lines(dump);
  console.log(`   ${sessions.length} sessions, ${dump.length} bytes. ${samples} of them:\n`);
  for (const line of sessions.filter(isTelling).slice(0, samples)) console.log(`${describeSession(line)}\n`);

  step(5, 'Compare with what the recorded runtimes held themselves');
  if (dump.equals(expected)) {
    console.log(`   Equal, byte for byte: ${expected.length} bytes. Nothing lost, doubled or reordered.`);
    return true;
  }
  console.log(`   NOT EQUAL: ${firstDifference(dump, expected)}`);
  return false;
}

/**
 * @param {number} number
 * @param {string} text
 */
function step(number, text) {
  console.log(`${number}. ${text}`);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  process.exitCode = 1;
}
