import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { exitCodes } from '../../src/compose/exit-codes.ts';
import { useHeldDisks } from '../support/held-disk.ts';
import { runProgram } from '../support/program.ts';
import { startService, until } from '../support/service.ts';

const golden = join(root, 'test/fixtures/golden/v0.13.0');
const commands = readFileSync(join(golden, 'commands.ndjson'), 'utf8').trimEnd().split('\n');
const expected = readFileSync(join(golden, 'expected.ndjson'), 'utf8');
const batch = {
  method: 'POST',
  headers: { 'content-type': 'application/cloudevents-batch+json' },
  body: `[${commands.join(',')}]`,
};

const held = useHeldDisks();

/** A service whose store lies on a disk that `hold` makes hang or full. */
async function onHeldDisk(name: string, words: readonly string[]) {
  const { directory } = held;
  const data = join(directory, name);
  const disk = held.disk(name, 'level');
  const service = await startService(['--data-dir', data, ...words], { directory, environment: disk.environment });
  return { service, data, disk };
}

describe('a service whose store persists nothing any more while commands wait', () => {
  test('says that it is not ready, ends with a code of its own, and the next one goes on', async () => {
    const { service, data, disk } = await onHeldDisk('hung', ['--service-stalled-after', '1s']);
    disk.hold('hang');
    expect((await fetch(`${service.url}/v1/commands`, batch)).status).toBe(202);
    await until(`${service.url}/readyz`, async (answer) => {
      if (answer.status === 200) return false;
      expect([answer.status, await answer.json()]).toMatchObject([503, { detail: expect.stringContaining('waiting') }]);
      return true;
    });
    await new Promise((resolve) => service.child.once('close', resolve));
    // Where Node cannot replace a process, one that hangs in its exit has to be killed.
    const ended = [service.child.exitCode, service.child.signalCode];
    expect([
      [exitCodes.stalled.code, null],
      [null, 'SIGKILL'],
    ]).toContainEqual(ended);
    expect(service.said.join('\n')).toContain('STALLED');
    expect(await runProgram(['worker', '--exit-when-caught-up', '--data-dir', data])).toMatchObject({ code: 0 });
    const dump = await runProgram(['sessions', 'dump', '--data-dir', data]);
    expect(dump.stdout === expected).toBe(true);
  });

  test('for want of room on the disk goes on reading, and recovers without a restart', async () => {
    const { service, disk } = await onHeldDisk('full', ['--service-stalled-after', '1s']);
    expect(
      (await fetch(`${service.url}/v1/commands?wait=applied`, { ...batch, body: `[${commands[0]}]` })).status,
    ).toBe(200);
    disk.hold('full');
    expect((await fetch(`${service.url}/v1/commands`, batch)).status).toBe(202);
    await until(`${service.url}/readyz`, async (answer) => answer.status === 503);
    expect((await fetch(`${service.url}/v1/sessions`)).status).toBe(200);
    // Longer than what ends a process that only waits.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(service.child.exitCode).toBeNull();
    disk.free();
    await until(`${service.url}/v1/admin/status`, async (answer) => {
      const { queue, ready } = (await answer.json()) as { queue: { lag: number }; ready: boolean };
      return ready && queue.lag === 0;
    });
    expect(await service.stop()).toBe(0);
  });

  test('ends in time when it is told to stop', async () => {
    const { service, disk } = await onHeldDisk('told', ['--service-drain-deadline', '1s']);
    disk.hold('hang');
    expect((await fetch(`${service.url}/v1/commands`, batch)).status).toBe(202);
    await service.stop('SIGTERM');
    expect([service.child.exitCode, service.child.signalCode]).not.toEqual([0, null]);
  });
});
