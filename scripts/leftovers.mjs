import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Processes that a run left behind: all whose temporary directory is the run's own. Only Linux can tell.
 *
 * @param {string} scratch the directory that the run's processes have as `TMPDIR`
 * @returns {{ pid: number, command: string }[]}
 */
export function survivors(scratch) {
  if (process.platform !== 'linux') return [];
  return (
    readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => read(pid, 'environ').split('\0').includes(`TMPDIR=${scratch}`))
      .map((pid) => ({ pid: Number(pid), command: read(pid, 'cmdline').split('\0').join(' ').trim() }))
      // A zombie is dead already, and only waits for its parent to notice.
      .filter(({ command }) => command !== '')
  );
}

/**
 * @param {string} pid
 * @param {string} file
 */
function read(pid, file) {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8');
  } catch {
    // It ended in between, or belongs to somebody else.
    return '';
  }
}
