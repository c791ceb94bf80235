import { describe, expect, test } from 'vitest';
import { PlanBuilder } from '../../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes } from '../../../src/conformance/store-samples.ts';
import { commandDigest } from '../../../src/domain/digest.ts';
import type { Epoch, Sequence, Writer } from '../../../src/domain/identifiers.ts';
import { encodeMessage } from '../../../src/domain/message.ts';
import type { ParkedCommand } from '../../../src/domain/plan.ts';
import { encodeBinary } from '../../../src/domain/wire/binary.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { StoreSource } from '../../../src/transfer/store-source.ts';
import { examineStore } from '../../../src/verify/examine-store.ts';
import type { Finding } from '../../../src/verify/finding.ts';
import { append, create, entryText, snapshotText } from '../../support/commands.ts';
import { WorkingSystem } from '../../support/working-system.ts';

const entry = (mark: string): Uint8Array => bytes(entryText(mark));
const reign = { epoch: 1 as Epoch, writer: '//test/one' as Writer, first: 1 as Sequence };

async function examined(store: Store) {
  const findings: Finding[] = [];
  const examination = await examineStore(new StoreSource(store), {
    totals: await store.readTotals(),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onFinding: async (finding) => void findings.push(finding),
  });
  expect(examination.findings).toBe(findings.length);
  return findings.map(({ kind, session, part, item }) => [kind, session, part, item]);
}

async function storeWith(build: (builder: PlanBuilder) => PlanBuilder): Promise<Store> {
  const store = createMemoryStore();
  await store.commit(build(new PlanBuilder()).build());
  return store;
}

/** A command of `ada` as it is parked. */
function parked(sequence: number, mark = `m${sequence}`): ParkedCommand {
  const command = append(sequence, mark, { session: ada });
  return {
    sequence: command.sequence,
    epoch: command.epoch,
    writer: command.writer,
    digest: commandDigest(command.type, command.data),
    bytes: command.data.length,
    refusal: undefined,
    position: { partition: 0, offset: sequence },
    message: encodeMessage(encodeBinary(command)),
  };
}

test('nothing is wrong with what a worker has made of commands', async () => {
  await using system = new WorkingSystem().work();
  await system.queue.publish([create(1), append(2, 'two'), append(3, 'three'), create(1, { session: 'other' })]);
  await system.caughtUp();
  expect(await examined(system.store)).toEqual([]);
});

test('a number that never came, and a conflict, are told with their sessions', async () => {
  await using system = new WorkingSystem().work();
  const halted = { session: 'halted' };
  await system.queue.publish([
    create(1),
    append(3, 'three'),
    create(1, halted),
    append(2, 'a', halted),
    append(2, 'b', halted),
  ]);
  await system.caughtUp();
  expect(await examined(system.store)).toEqual([
    ['hole', 'a-session-of-the-tests-1', 'session', undefined],
    ['conflict', 'halted', 'session', undefined],
  ]);
});

describe('what a store cannot have come to by the rule', () => {
  test.each<[string, (builder: PlanBuilder) => PlanBuilder, readonly unknown[]]>([
    ['an entry that is none', (builder) => builder.append(ada, bytes('{"a":1}')), ['damaged', ada, 'entry', 0]],
    [
      'a message twice',
      (builder) => builder.append(ada, entry('x'), entry('y'), entry('x')),
      ['double', ada, 'entry', 2],
    ],
    [
      'a wrong count',
      (builder) => builder.append(ada, entry('x')).cursor(ada, { compactionBase: 3 }),
      ['miscounted', ada, 'cursor', 'compactionBase'],
    ],
    ['a snapshot that is none', (builder) => builder.save(ada, bytes('{}')), ['damaged', ada, 'snapshot', undefined]],
    [
      'a receipt that nobody knows of',
      (builder) => builder.receipt(ada, bytes('r')).cursor(ada, { hasReceipt: false, presence: 'known' }),
      ['conflict', ada, 'receipt', undefined],
    ],
    [
      'a receipt that is missing',
      (builder) => builder.create(ada).cursor(ada, { hasReceipt: true }),
      ['hole', ada, 'receipt', undefined],
    ],
    [
      'a message that is not what its header says',
      (builder) => builder.create(ada).park(ada, { ...parked(9), digest: parked(8).digest }),
      ['damaged', ada, 'parked command', 9],
    ],
    [
      'a command that waits and is the next one',
      (builder) =>
        builder
          .create(ada)
          .cursor(ada, { ...reign, last: 4 as Sequence })
          .park(ada, parked(5)),
      ['hole', ada, 'parked command', 5],
    ],
    [
      'a command that waits and was applied',
      (builder) =>
        builder
          .create(ada)
          .cursor(ada, { ...reign, last: 50 as Sequence })
          .park(ada, parked(5)),
      ['double', ada, 'parked command', 5],
    ],
    [
      'a command of another writer that waits',
      (builder) =>
        builder
          .create(ada)
          .cursor(ada, { ...reign, writer: '//test/two' as Writer, last: 1 as Sequence })
          .park(ada, parked(5)),
      ['conflict', ada, 'parked command', 5],
    ],
  ])('%s', async (_, build, finding) => {
    const store = await storeWith((builder) =>
      build(builder)
        .append(bob, entry('right'))
        .save(bob, bytes(snapshotText('right', bob))),
    );
    expect(await examined(store)).toContainEqual(finding);
  });
});
