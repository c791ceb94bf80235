import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryText, snapshotText } from '../support/commands.ts';
import { askGateway, connectGateway, gatewayPort, untilGatewayOpen } from '../support/gateway-client.ts';
import { useHeldDisks } from '../support/held-disk.ts';
import { RunningProgram } from '../support/running-program.ts';

const held = useHeldDisks();

/** A gateway in one process with queue and store, of which one lies on a disk of its own. */
async function startOn(part: 'queue' | 'store') {
  const { directory } = held;
  const data = join(directory, part);
  const disk = held.disk(part, part);
  const words = ['start', '--gateway-port', '0', '--data-dir', data, '--store', `level:${join(data, 'store')}`];
  const program = new RunningProgram(words, { directory, environment: disk.environment });
  await untilGatewayOpen(program);
  return {
    program,
    disk,
    port: await gatewayPort(program),
    startAgain: () => new RunningProgram(words, { directory }),
  };
}

const log = 'macp:log:ada';

test('a queue that finds no room is an error at once that is certain; its connection goes on when there is room', async () => {
  const { program, disk, port, startAgain } = await startOn('queue');
  await using _ = program;
  const client = connectGateway(port);
  expect(await client.rpush(log, entryText('m1'))).toBe(1);
  disk.hold('full');
  for (let times = 0; times < 20; times += 1) {
    await expect(client.rpush(log, entryText('no room'))).rejects.toThrow(/^ERR DISK_FULL: nothing was written/);
    await expect(client.set('macp:session:ada', snapshotText('no room', 'ada'))).rejects.toThrow(/^ERR DISK_FULL/);
    await expect(client.multi().del(log).rpush(log, entryText('no room')).exec()).rejects.toThrow(/^ERR DISK_FULL/);
    await expect(client.sadd('macp:sessions', `new-${times}`)).rejects.toThrow(/^ERR DISK_FULL/);
  }
  expect(await client.lrange(log, 0, -1)).toEqual([entryText('m1')]);
  expect(await client.get('macp:session:ada')).toBeNull();
  disk.free();
  expect(await client.rpush(log, entryText('m2'))).toBe(2);
  await program.stop('SIGKILL');
  await using again = startAgain();
  const next = await gatewayPort(again);
  expect(await askGateway(next, 'SMEMBERS', 'macp:sessions')).toEqual(['ada']);
  expect(await askGateway(next, 'LRANGE', log, '0', '-1')).toEqual([entryText('m1'), entryText('m2')]);
});

test('a store that finds no room holds up no write that the queue takes, and has them all when there is room', async () => {
  const { program, disk, port } = await startOn('store');
  await using _ = program;
  const client = connectGateway(port);
  expect(await client.rpush(log, entryText('m1'))).toBe(1);
  expect(await client.lrange(log, 0, -1)).toEqual([entryText('m1')]);
  disk.hold('full');
  for (let mark = 2; mark <= 20; mark += 1) expect(await client.rpush(log, entryText(`m${mark}`))).toBe(mark);
  await expect(client.lrange(log, 0, -1)).rejects.toThrow(/^ERR there was no answer in time/);
  disk.free();
  const marks = Array.from({ length: 20 }, (__, index) => entryText(`m${index + 1}`));
  expect(await askGateway(port, 'LRANGE', log, '0', '-1')).toEqual(marks);
});
