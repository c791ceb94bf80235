import { spawn } from 'node:child_process';

const shell = '/bin/sh';
/** Seconds after which a process that hangs in its exit is killed. */
const patience = 2;

/** What newer releases of Node (22.15, 23.11) have: this process becomes another program, whatever its threads do. */
interface Replaceable extends NodeJS.Process {
  execve?(file: string, parameters: readonly string[]): never;
}

/**
 * Ends this process with `code`, although one of its threads may hang in the operating system, in a sync that does not
 * return for instance: an ordinary exit waits for such a thread. Where Node cannot replace the process, and its exit
 * does hang, it is killed by a signal instead.
 */
export function exitAtOnce(running: NodeJS.Process, code: number): void {
  const replaceable: Replaceable = running;
  replaceable.execve?.(shell, ['sh', '-c', `exit ${code}`]);
  const killer = spawn(shell, ['-c', `sleep ${patience}; kill -9 ${running.pid}`], { detached: true, stdio: 'ignore' });
  killer.on('error', () => running.kill(running.pid, 'SIGKILL'));
  killer.unref();
  running.exit(code);
}
