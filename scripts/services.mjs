/**
 * `npm run services`: brings up Kafka and Redis for development, says how they are reached, and stops them at Ctrl-C.
 * `-- --kafka` or `-- --redis` brings up only the one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installDependencies, Refusal, requireNode } from './project.mjs';
import { serviceKinds, shareService, withoutSecrets } from './services/shared.mjs';

/** @import { SharedService } from './services/shared.mjs' */

const scratch = mkdtempSync(join(tmpdir(), 'macp-persist-services-'));
/** Listened for until the end: npm passes on the Ctrl-C that the terminal has sent already. */
const interrupted = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
});

/** @type {SharedService[]} */
const started = [];

async function main() {
  const chosen = choose();
  requireNode();
  installDependencies();
  for (const kind of chosen) started.push(await shareService(kind, scratch));
  explain();
  // The promise alone does not keep a process running.
  const running = setInterval(() => undefined, 60_000);
  await interrupted;
  clearInterval(running);
}

/** Says how the services are used: by the program, and by the tests in place of services of their own. */
function explain() {
  const kafka = started.find(({ name }) => name === 'Kafka');
  const redis = started.find(({ name }) => name === 'Redis');
  const lines = [
    '',
    'For macp-persist, in another terminal:',
    ...(kafka === undefined
      ? []
      : [`  export MACP_PERSIST_QUEUE=kafka://${withoutSecrets(kafka.address)}/macp-commands`]),
    ...(redis === undefined ? [] : [`  export MACP_PERSIST_STORE=${withoutSecrets(redis.address)}`]),
    ...(kafka === undefined ? [] : ['  macp-persist init']),
    '  macp-persist start',
    '',
    'For the tests:',
    `  ${started.map(({ variable, address }) => `${variable}=${withoutSecrets(address)}`).join(' ')} npm test`,
    '',
    'Ctrl-C stops what was started here, and removes all that is in it.',
  ];
  console.log(lines.join('\n'));
}

function choose() {
  try {
    const { values } = parseArgs({ options: { kafka: { type: 'boolean' }, redis: { type: 'boolean' } } });
    const all = values.kafka === undefined && values.redis === undefined;
    return Object.values(serviceKinds).filter(({ service }) => all || values[service]);
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : error}\nThere are --kafka and --redis.`);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const { name, close } of started.reverse()) {
    console.log(`Stopping ${name}`);
    await close();
  }
  rmSync(scratch, { recursive: true, force: true });
}
