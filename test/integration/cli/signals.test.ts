import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readdirSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { interruptionOf } from '../../../src/compose/interruption.ts';
import { nodeFileSystem } from '../../../src/platform/node-file-system.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { openLevelStore } from '../../../src/stores/level/level-store.ts';
import { freshDirectory, startProgram } from '../../support/program.ts';

let directory = '';
beforeEach(() => {
  directory = freshDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a signal', () => {
  test('ends a publish that waits for its input, and nothing was sent', async () => {
    const child = startProgram(['publish', '-'], { directory, environment: { TMPDIR: directory } });
    // The temporary directory shows that it reads, hence that it handles signals.
    const watcher = watch(directory);
    child.stdin.write('{');
    await once(watcher, 'change');
    watcher.close();
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(130);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('the second one ends a process at once, with an exit code of its own', () => {
    const codes: unknown[] = [];
    const running = new EventEmitter();
    let now = 0;
    const interruption = interruptionOf(running as NodeJS.Process, (code) => codes.push(code), { elapsed: () => now });
    expect(interruption.aborted).toBe(false);
    running.emit('SIGTERM');
    expect([interruption.aborted, codes]).toEqual([true, []]);
    now = 20;
    running.emit('SIGTERM');
    expect(codes, 'npm hands on what the terminal has sent already').toEqual([]);
    now = 1_000;
    running.emit('SIGINT');
    expect(codes).toEqual([130]);
  });

  test('ends the worker of workers/ in order, its store closed', async () => {
    const environment = { PATH: process.env['PATH'] ?? '', MACP_PERSIST_DATA_DIR: directory };
    const child = spawn(process.execPath, [join(root, 'dist/workers/worker.js')], { env: environment });
    for await (const line of createInterface({ input: child.stderr })) if (JSON.parse(line).to === 'running') break;
    child.stderr.resume();
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    await using store = await openLevelStore({
      directory: join(directory, 'level'),
      files: nodeFileSystem,
      clock: systemClock,
      newId: randomUUID,
    });
    expect(await store.listSessions({ limit: 10 })).toEqual([]);
  });
});
