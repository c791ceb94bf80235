import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Refusal } from '../project.mjs';

/**
 * A server on this machine that is a process of ours, such as a Kafka broker or redis-server.
 *
 * @typedef {object} ServerProcess
 * @property {number} pid
 * @property {() => boolean} isRunning
 * @property {() => void} pause hangs it with SIGSTOP; on Linux none of its threads does anything more afterwards
 * @property {() => void} resume lets it go on with SIGCONT
 * @property {() => Promise<void>} stop asks it to stop, and resolves when it has ended
 * @property {() => Promise<void>} kill kills it, and resolves when it has ended
 */

/** How many of the last lines of what a server said are told when it does not start. */
const told = 40;
/** Milliseconds after which a server that was asked to stop is killed. */
const patience = 20_000;

/**
 * Starts a server and resolves once it says that it is ready. Throws a Refusal with its last lines when it ends before.
 *
 * @param {object} command
 * @param {string} command.name what the server is called in messages
 * @param {string} command.program
 * @param {readonly string[]} command.parameters
 * @param {string} [command.directory] where it runs
 * @param {RegExp} command.ready what it says, on one line of standard output, once it serves
 * @returns {Promise<ServerProcess>}
 */
export async function startServer({ name, program, parameters, directory, ready }) {
  const [first, ...rest] = endingWithUs([program, ...parameters]);
  const child = spawn(first, rest, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  /** @type {string[]} */
  const lines = [];
  await new Promise((resolve, reject) => {
    /** @param {string} line */
    const hear = (line) => {
      lines.push(line);
      if (lines.length > told) lines.shift();
      if (ready.test(line)) resolve(undefined);
    };
    // Read to the end: a server whose output nobody reads comes to a halt.
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', hear);
    child.once('error', (error) => reject(new Refusal(`${name} cannot be started: ${error.message}`)));
    child.once('close', () => reject(new Refusal(`${name} ended before it was ready:\n${lines.join('\n')}`)));
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    if (isRunning()) child.kill(signal);
    // One that was stopped with SIGSTOP does not see SIGTERM before it goes on.
    if (isRunning()) child.kill('SIGCONT');
    const impatience = setTimeout(() => child.kill('SIGKILL'), patience);
    await ended;
    clearTimeout(impatience);
  };
  return {
    pid: child.pid ?? 0,
    isRunning,
    pause: () => {
      child.kill('SIGSTOP');
      // On a busy machine the threads of a server may work on for a while.
      while (isRunning() && !isStopped(child.pid ?? 0)) Atomics.wait(anything, 0, 0, 1);
    },
    resume: () => void child.kill('SIGCONT'),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

const anything = new Int32Array(new SharedArrayBuffer(4));

/**
 * True once every thread of the process is stopped; where that cannot be seen, at once.
 *
 * @param {number} pid
 */
function isStopped(pid) {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  try {
    // Behind the name in brackets: T (stopped), Z and X (ended).
    return readdirSync(tasks).every((task) => /\) [TZX] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8')));
  } catch {
    // One has ended meanwhile: looked at again.
    return false;
  }
}

/**
 * The command, changed so that the kernel kills it when this process ends, however that happens. Linux only: elsewhere
 * the command as it is.
 *
 * @param {readonly string[]} command
 * @returns {[string, ...string[]]}
 */
export function endingWithUs([program = '', ...parameters]) {
  const wrapper = ['--pdeathsig', 'KILL', '--'];
  const works = process.platform === 'linux' && spawnSync('setpriv', [...wrapper, 'true']).status === 0;
  return works ? ['setpriv', ...wrapper, program, ...parameters] : [program, ...parameters];
}
