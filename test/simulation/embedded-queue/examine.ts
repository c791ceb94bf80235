import assert from 'node:assert/strict';
import { takeCount, toldCommand } from '../../../src/conformance/queue-samples.ts';
import { consumeInto, openSimulated, type World } from './program.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedLedger } from './simulated-ledger.ts';

/**
 * Opens what a crash left and fails unless every publish that was acknowledged is there at its positions, nothing is
 * there twice, nothing that was refused for certain is there, offsets have no holes, each session's commands come in
 * the order they were published in, and the queue goes on working.
 */
export async function examine(disk: SimulatedDisk, ledger: SimulatedLedger, world: World): Promise<void> {
  const queue = await openSimulated(disk, ledger);
  try {
    const consumer = await consumeInto(world, queue);
    const bounds = await queue.bounds();
    let left = 0;
    for (const [partition, { end }] of bounds) left += end - (world.positions.get(partition)?.next ?? 0);
    world.store(await takeCount(consumer, left, { deliveries: 5, bytes: 1e6 }));
    assert.deepEqual(await consumer.takeNow({ deliveries: 5, bytes: 1e6 }), []);
    assertWhole(world, new Map([...bounds].map(([partition, { end }]) => [partition, end])));
  } finally {
    await queue.close();
  }
}

function assertWhole(world: World, ends: ReadonlyMap<number, number>): void {
  assert.equal(
    world.delivered.size,
    [...ends.values()].reduce((sum, end) => sum + end, 0),
    'offsets without a hole',
  );
  assert.equal(new Set(world.delivered.values()).size, world.delivered.size, 'nothing is there twice');
  const present = new Set(world.delivered.values());
  for (const { commands, outcome } of world.attempts) {
    if (outcome === 'unknown') continue;
    commands.forEach((command, index) => {
      if (outcome === 'refused') {
        assert.ok(!present.has(toldCommand(command)), `${toldCommand(command)} was refused`);
      } else {
        const { partition, offset } = outcome[index] ?? assert.fail('a position for each command');
        assert.equal(world.delivered.get(`${partition}/${offset}`), toldCommand(command));
      }
    });
  }
  assertOrder(world, ends);
}

function assertOrder(world: World, ends: ReadonlyMap<number, number>): void {
  const last = new Map<string, number>();
  for (const [partition, end] of ends) {
    for (let offset = 0; offset < end; offset += 1) {
      const [session = '', sequence] = (world.delivered.get(`${partition}/${offset}`) ?? '').split('/');
      assert.ok(Number(sequence) > (last.get(session) ?? 0), `${session} ${sequence} comes in order`);
      last.set(session, Number(sequence));
    }
  }
}
