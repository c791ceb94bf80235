import { describe, expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { PartitionOwnership } from '../../../src/queues/partition-ownership.ts';

/** An answer that the test gives when it likes. */
class Answer<Value> {
  #give: (value: Value) => void = () => undefined;
  #refuse: (error: unknown) => void = () => undefined;
  readonly promise = new Promise<Value>((resolve, reject) => {
    this.#give = resolve;
    this.#refuse = reject;
  });

  give(value: Value): void {
    this.#give(value);
  }

  refuse(error: unknown): void {
    this.#refuse(error);
  }
}

/** An ownership whose parts note what happens; `held` answers are given by the test, all others at once. */
class Subject {
  readonly happened: string[] = [];
  readonly assigned: Answer<void>[] = [];
  readonly started: Answer<void>[] = [];
  readonly revoked: Answer<void>[] = [];
  /** What is answered at once. */
  readonly prompt: Set<'assigned' | 'started' | 'revoked'>;
  readonly ownership: PartitionOwnership;

  constructor(held: readonly ('assigned' | 'started' | 'revoked')[] = [], drainTimeout = 60_000) {
    this.prompt = new Set((['assigned', 'started', 'revoked'] as const).filter((one) => !held.includes(one)));
    const note = (what: string, partitions: readonly number[]): void => {
      this.happened.push(`${what} ${partitions}`);
    };
    this.ownership = new PartitionOwnership({
      clock: systemClock,
      drainTimeout,
      handler: {
        assigned: async (partitions) => {
          note('assigned', partitions);
          await this.#answer('assigned', this.assigned);
          return new Map();
        },
        revoked: async (partitions) => {
          note('revoked', partitions);
          await this.#answer('revoked', this.revoked);
        },
      },
      start: async (positions) => {
        note('start', [...positions.keys()]);
        await this.#answer('started', this.started);
      },
      stop: (partitions) => {
        if (partitions.length > 0) note('stop', partitions);
        for (const answer of this.started) answer.give();
      },
      settled: async (partitions) => note('settled', partitions),
      freed: () => this.happened.push('freed'),
      onAssigned: (partitions) => note('works on', partitions),
      onRevoked: (partitions) => note('gave up', partitions),
      onFailed: ({ code }) => this.happened.push(`failed ${code}`),
    });
  }

  /** What happened since it was last asked. */
  since(): string[] {
    return this.happened.splice(0);
  }

  async #answer(kind: 'assigned' | 'started' | 'revoked', answers: Answer<void>[]): Promise<void> {
    if (this.prompt.has(kind)) return;
    const answer = new Answer<void>();
    answers.push(answer);
    await answer.promise;
  }
}

const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('what is assigned', () => {
  test('is asked for, started, and worked on; what goes is drained, and free only then', async () => {
    const subject = new Subject(['revoked']);
    await subject.ownership.assign([0, 1, 2]);
    expect(subject.since()).toEqual(['assigned 0,1,2', 'start 0,1,2', 'works on 0,1,2']);
    const assigned = subject.ownership.assign([1, 3]);
    await turns();
    expect(subject.since()).toEqual(['stop 0,2', 'revoked 0,2']);
    expect(subject.ownership.owned).toEqual([0, 1, 2]);
    subject.revoked[0]?.give();
    await assigned;
    expect(subject.since()).toEqual(['settled 0,2', 'gave up 0,2', 'freed', 'assigned 3', 'start 3', 'works on 3']);
    expect(subject.ownership.owned).toEqual([1, 3]);
  });

  test('again while it is drained starts anew, after the drain', async () => {
    const subject = new Subject(['revoked']);
    await subject.ownership.assign([0]);
    void subject.ownership.assign([]);
    await turns();
    const again = subject.ownership.assign([0]);
    await turns();
    expect(subject.since().at(-1)).toBe('revoked 0');
    subject.revoked[0]?.give();
    await again;
    expect(subject.since().slice(-3)).toEqual(['assigned 0', 'start 0', 'works on 0']);
  });

  test('and goes before it has started is not started, and the rest is', async () => {
    const subject = new Subject(['started']);
    void subject.ownership.assign([0, 1]);
    await turns();
    subject.prompt.add('started');
    await subject.ownership.assign([1]);
    expect(subject.since()).toEqual([
      'assigned 0,1',
      'start 0,1',
      'stop 0',
      'works on 1',
      'revoked 0',
      'settled 0',
      'gave up 0',
      'freed',
    ]);
    expect(subject.ownership.owned).toEqual([1]);
  });

  test('is asked for again while the store does not answer, but not the first time', async () => {
    const unavailable = new PersistenceError('STORE_UNAVAILABLE', 'away');
    const first = new Subject(['assigned']);
    void first.ownership.assign([0]);
    await turns();
    first.assigned[0]?.refuse(unavailable);
    await turns();
    expect(first.since()).toEqual(['assigned 0', 'failed STORE_UNAVAILABLE']);
    const later = new Subject();
    await later.ownership.assign([0]);
    later.since();
    later.prompt.delete('assigned');
    const assigned = later.ownership.assign([0, 1]);
    await turns();
    later.prompt.add('assigned');
    later.assigned[0]?.refuse(unavailable);
    await assigned;
    expect(later.since()).toEqual(['assigned 1', 'assigned 1', 'start 1', 'works on 1']);
  });
});

describe('what is lost', () => {
  test('is nobody else to be kept from, and drained before it can start again', async () => {
    const subject = new Subject(['revoked']);
    await subject.ownership.assign([0, 1]);
    subject.since();
    void subject.ownership.lose();
    expect(subject.ownership.owned).toEqual([]);
    const again = subject.ownership.assign([1]);
    await turns();
    expect(subject.since()).toEqual(['stop 0,1', 'gave up 0,1', 'revoked 0,1']);
    subject.revoked[0]?.give();
    await again;
    expect(subject.since()).toEqual(['assigned 1', 'start 1', 'works on 1']);
  });

  test('while it is drained is not told to be free: others have it already', async () => {
    const subject = new Subject(['revoked']);
    await subject.ownership.assign([0]);
    void subject.ownership.assign([]);
    await turns();
    subject.since();
    const lost = subject.ownership.lose();
    subject.prompt.add('revoked');
    subject.revoked[0]?.give();
    await lost;
    expect(subject.since()).toEqual(['stop 0', 'gave up 0', 'revoked 0']);
  });
});

test('a drain that takes too long keeps nobody else waiting, but what starts here waits for it', async () => {
  const subject = new Subject(['revoked'], 10);
  await subject.ownership.assign([0, 1]);
  subject.since();
  const assigned = subject.ownership.assign([1, 2]);
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(subject.since()).toEqual(['stop 0', 'revoked 0', 'gave up 0', 'freed']);
  expect(subject.ownership.owned).toEqual([1]);
  subject.revoked[0]?.give();
  await assigned;
  expect(subject.since()).toEqual(['assigned 2', 'start 2', 'works on 2']);
});

test('draining everything starts nothing any more, whatever the group assigns', async () => {
  const subject = new Subject(['revoked']);
  await subject.ownership.assign([0]);
  const drained = subject.ownership.drain();
  void subject.ownership.assign([0, 1]);
  await turns();
  subject.revoked[0]?.give();
  await drained;
  expect(subject.since().slice(3)).toEqual(['stop 0', 'revoked 0', 'settled 0', 'gave up 0']);
  expect(subject.ownership.owned).toEqual([]);
});

test('closing stops at once and calls nobody', async () => {
  const subject = new Subject(['started']);
  void subject.ownership.assign([0]);
  await turns();
  subject.ownership.close();
  await turns();
  expect(subject.since()).toEqual(['assigned 0', 'start 0', 'stop 0', 'gave up 0']);
  expect(subject.ownership.owned).toEqual([]);
});
