import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Refusal, root } from '../project.mjs';

const program = join(root, 'dist/src/cli/main.js');

/** The environment without anybody's own settings: the demo must not touch a real store. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MACP_')));

/**
 * Starts `macp-persist` with the given arguments in the repository's root.
 *
 * @param {string} dataDirectory
 * @param {readonly string[]} parameters
 */
function start(dataDirectory, parameters) {
  return spawn(process.execPath, [program, ...parameters, '--data-dir', dataDirectory], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/**
 * Runs a command to its end.
 *
 * @param {string} dataDirectory
 * @param {readonly string[]} parameters
 * @returns {Promise<Buffer>} what it wrote to standard output
 */
export async function runCommand(dataDirectory, parameters) {
  const child = start(dataDirectory, parameters);
  /** @type {Buffer[]} */
  const output = [];
  /** @type {Buffer[]} */
  const errors = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const [code, signal] = await once(child, 'close');
  if (code !== 0) {
    throw new Refusal(`macp-persist ${parameters.join(' ')} ended with ${code ?? signal}:\n${Buffer.concat(errors)}`);
  }
  return Buffer.concat(output);
}

/**
 * Runs a worker until it has persisted everything, or until `killAfter` commands are seen committed in its log: then
 * it is killed.
 *
 * @param {string} dataDirectory
 * @param {number} batch commands a commit
 * @param {number | undefined} killAfter
 */
export async function persistWorker(dataDirectory, batch, killAfter) {
  const child = start(dataDirectory, [
    'worker',
    '--exit-when-caught-up',
    `--worker-batch-commands=${batch}`,
    '--log-level=debug',
  ]);
  let committed = 0;
  let seenAtKill = 0;
  /** @type {string[]} */
  const latest = [];
  child.stdout.resume();
  createInterface({ input: child.stderr }).on('line', (line) => {
    latest.push(line);
    if (latest.length > 20) latest.shift();
    committed += commandsOf(line);
    if (killAfter !== undefined && seenAtKill === 0 && committed >= killAfter) {
      seenAtKill = committed;
      child.kill('SIGKILL');
    }
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0 && signal !== 'SIGKILL') {
    throw new Refusal(`The worker ended with ${code ?? signal}:\n${latest.join('\n')}`);
  }
  return { committed, seenAtKill, killed: signal === 'SIGKILL' };
}

/**
 * How many commands a line of the worker's log tells committed.
 *
 * @param {string} line
 * @returns {number}
 */
function commandsOf(line) {
  if (!line.startsWith('{')) return 0;
  const { msg, deliveries } = JSON.parse(line);
  return msg === 'committed' ? deliveries : 0;
}
