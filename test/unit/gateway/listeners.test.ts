import { expect, test } from 'vitest';
import { entryText } from '../../support/commands.ts';
import { GatewaySystem } from '../../support/gateway-system.ts';
import { turns } from '../../support/turns.ts';

/** What Node warns of while `work` runs: listeners that are added and never removed, for one. */
async function warningsOf(work: () => Promise<void>): Promise<readonly string[]> {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', note);
  try {
    await work();
    await turns();
    return warnings;
  } finally {
    process.off('warning', note);
  }
}

const sessions = Array.from({ length: 30 }, (_, index) => `s${index}`);
const keys = sessions.map((session) => `macp:log:${session}`);

test('one connection after the other leaves no listener behind', async () => {
  await using system = new GatewaySystem().work();
  const warnings = await warningsOf(async () => {
    for (let count = 0; count < 30; count += 1) {
      expect(await system.client().send('SMEMBERS', 'macp:sessions')).toEqual([]);
    }
  });
  expect(warnings).toEqual([]);
});

test('many reads that wait, and one that waits for much, are nothing to warn of', async () => {
  await using system = new GatewaySystem().run();
  const client = system.client();
  const warnings = await warningsOf(async () => {
    for (const key of keys) await client.send('RPUSH', key, entryText('m1'));
    const logs = keys.map((key) => client.send('LRANGE', key, '0', '-1'));
    const count = client.send('EXISTS', ...keys);
    const list = client.send('SMEMBERS', 'macp:sessions');
    await turns();
    system.system.work();
    expect(await Promise.all(logs)).toEqual(keys.map(() => [entryText('m1')]));
    expect(await count).toBe('(integer) 30');
    expect(await list).toEqual([...sessions].sort());
  });
  expect(warnings).toEqual([]);
});
