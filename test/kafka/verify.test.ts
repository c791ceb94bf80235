import { expect, test } from 'vitest';
import { encodeEvent } from '../../src/domain/wire/structured.ts';
import { append, create } from '../support/commands.ts';
import { redisAddress } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { TopicProgram } from '../support/topic-program.ts';

const sessions = 20;

/** The events of one round: one of each session. */
function events(round: number): string {
  return Array.from({ length: sessions }, (_, index) => {
    const reign = { session: `session-${index}` };
    const command = round === 1 ? create(1, reign) : append(round, `m${round}`, reign);
    return `${Buffer.from(encodeEvent(command)).toString()}\n`;
  }).join('');
}

test('a store in Redis is verified with its topic while workers fill it, and what is forged there is named', async () => {
  await using program = await TopicProgram.init(4);
  const store = ['--store', program.redis];
  const workers = [program.start(['worker', ...store]), program.start(['worker', ...store])];
  await Promise.all(workers.map((worker) => worker.until(({ partitions }) => partitions.length > 0)));
  let isPublishing = true;
  const publishing = (async () => {
    for (let round = 1; round <= 12 || isPublishing; round += 1) {
      const { code, stderr } = await program.run(['publish', '-'], { input: events(round) });
      expect(code, stderr).toBe(0);
    }
  })();
  for (let look = 0; look < 3; look += 1) {
    const { code, stdout, stderr } = await program.run(['verify', program.redis]);
    // 6: every look found a session that had just been written to.
    expect([0, 6], stdout + stderr).toContain(code);
  }
  isPublishing = false;
  await publishing;
  await Promise.all(workers.map((worker) => worker.stop()));
  await program.run(['worker', ...store, '--exit-when-caught-up']);
  expect(await program.run(['verify', program.redis])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^20 sessions, the same in both\./),
  });
  await forge(program.redis, 'session-7');
  const forged = await program.run(['verify', program.redis]);
  expect(forged).toMatchObject({ code: 15, stdout: expect.stringMatching(/^changed +session session-7: entry 3$/m) });
});

/** Writes other bytes over entry 3, as something else would. */
async function forge(url: string, session: string): Promise<void> {
  const client = rawClient(Number(new URL(redisAddress()).port));
  const key = `${new URL(url).searchParams.get('prefix')}:log:${session}`;
  const entry = await client.lindex(key, 3);
  await client.lset(key, 3, String(entry).replace('agent://lead', 'agent://mole'));
  client.disconnect();
}
