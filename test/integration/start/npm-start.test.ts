import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { cleanEnvironment, freshDirectory } from '../../support/program.ts';

/** All that a clone needs to be built, besides what is installed. */
const sources = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'workers',
  'scripts',
];

test('npm start builds a clone and runs the service in it, until Ctrl-C', async () => {
  const clone = freshDirectory();
  for (const path of sources) cpSync(join(root, path), join(clone, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  // In a group of its own, to which a terminal would send its signals.
  const npm = spawn('npm', ['start', '--', '--http-port', '0'], { cwd: clone, env: cleanEnvironment, detached: true });
  const ended = once(npm, 'close');
  try {
    const said: string[] = [];
    for await (const line of createInterface({ input: npm.stderr })) {
      said.push(line);
      if (!line.startsWith('Listening at ') || npm.pid === undefined) continue;
      expect(existsSync(join(clone, 'macp-persist-data/service.json'))).toBe(true);
      process.kill(-npm.pid, 'SIGINT');
    }
    await ended;
    expect(said.join('\n')).toMatch(/Listening at http.*"to":"stopped"/s);
    expect(existsSync(join(clone, 'macp-persist-data/service.json'))).toBe(false);
  } finally {
    if (npm.exitCode === null && npm.signalCode === null && npm.pid !== undefined) process.kill(-npm.pid, 'SIGKILL');
    rmSync(clone, { recursive: true });
  }
});
