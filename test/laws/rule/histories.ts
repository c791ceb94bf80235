import fc from 'fast-check';
import type { NumberedType } from '../../../src/domain/command.ts';
import { claim, command, homeless, skip, types, unreadable } from './commands.ts';
import type { Fault, NaiveDelivery } from './naive-delivery.ts';
import { contractLimits, NaiveModel } from './naive-model.ts';
import type { NaiveSession } from './naive-session.ts';

/**
 * Histories in which anything may happen. A history is drawn as intents ("the next three numbers of the reigning
 * writer", "an earlier claim again"), which are then spelled out as deliveries against the state that the naive model
 * has reached: so that long healthy stretches and deep states occur, and so that a failure shrinks well.
 */

interface Write {
  readonly type: NumberedType;
  readonly variation: number;
  readonly valid: boolean;
  readonly fault: Fault | undefined;
}

type Intent =
  | { readonly do: 'next'; readonly count: number; readonly write: Write }
  | { readonly do: 'ahead'; readonly by: number; readonly write: Write }
  | { readonly do: 'behind'; readonly by: number; readonly write: Write }
  | {
      readonly do: 'other';
      readonly epoch: number;
      readonly writer: string;
      readonly by: number;
      readonly write: Write;
    }
  | { readonly do: 'claim'; readonly above: number; readonly writer: string; readonly count: number }
  | { readonly do: 'reclaim'; readonly back: number; readonly writer: string | undefined }
  | { readonly do: 'skip'; readonly above: number; readonly by: number; readonly id: number }
  | { readonly do: 'unreadable'; readonly text: string; readonly homeless: boolean }
  | { readonly do: 'again'; readonly back: number; readonly count: number }
  | { readonly do: 'twin'; readonly back: number; readonly fault: Fault | undefined };

type Step = Intent & { readonly session: string };

const writers = ['//test/first', '//test/second', '//test/third'] as const;

const fault: fc.Arbitrary<Fault | undefined> = fc.constantFrom(undefined, 'misnamed', 'unkeyed');

const write: fc.Arbitrary<Write> = fc.record({
  type: fc.oneof(
    { weight: 5, arbitrary: fc.constant(types.append) },
    { weight: 4, arbitrary: fc.constantFrom(...Object.values(types)) },
  ),
  variation: fc.nat(2),
  valid: fc.nat(9).map((die) => die > 0),
  fault: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fault }),
});

const writer = fc.constantFrom(...writers);
const few = fc.integer({ min: 1, max: 3 });
const often = fc.oneof({ weight: 6, arbitrary: few }, { weight: 1, arbitrary: fc.integer({ min: 15, max: 19 }) });

const intent: fc.Arbitrary<Intent> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('next' as const), count: often, write }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ahead' as const), by: few, write }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('behind' as const), by: fc.nat(18), write }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('other' as const),
      epoch: fc.integer({ min: -2, max: 2 }),
      writer,
      by: fc.integer({ min: -3, max: 3 }),
      write,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      above: fc.integer({ min: -1, max: 2 }),
      writer,
      count: fc.oneof({ weight: 15, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(17) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reclaim' as const),
      back: fc.nat(17),
      writer: fc.option(writer, { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('skip' as const),
      above: fc.constantFrom(0, 0, 0, 0, -1, 1),
      by: fc.constantFrom(1, 1, 1, 1, 0, 2),
      id: fc.nat(30),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('unreadable' as const),
      text: fc.constantFrom('x', 'y'),
      homeless: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('again' as const),
      back: fc.nat(25),
      count: fc.constantFrom(1, 1, 1, 4, 12),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('twin' as const), back: fc.nat(6), fault }) },
);

const session = fc.oneof(
  { weight: 4, arbitrary: fc.constant('s') },
  { weight: 1, arbitrary: fc.constantFrom('t', 'u') },
);

/** Any history, spelled out: at most `length` intents. */
export function anyHistory(length: number): fc.Arbitrary<readonly NaiveDelivery[]> {
  const step: fc.Arbitrary<Step> = fc.tuple(intent, session).map(([chosen, name]) => ({ ...chosen, session: name }));
  return fc.array(step, { minLength: 1, maxLength: length, size: 'max' }).map(spellOut);
}

/** Where batches end: numbers to be taken modulo the length of the history. */
export const anyCuts: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(400), { maxLength: 12 });

/** The deliveries that the steps stand for. */
function spellOut(steps: readonly Step[]): readonly NaiveDelivery[] {
  const model = new NaiveModel(contractLimits);
  const deliveries: NaiveDelivery[] = [];
  const deliver = (delivery: NaiveDelivery): void => {
    model.deliver(delivery);
    deliveries.push(delivery);
  };
  for (const step of steps) {
    if (step.do === 'again') again(deliveries, step).forEach(deliver);
    else if (step.do === 'twin') twin(deliveries, step).forEach(deliver);
    else for (const make of plan(step)) deliver(make(model.session(step.session)));
  }
  return deliveries;
}

function again(
  deliveries: readonly NaiveDelivery[],
  { back, count }: { back: number; count: number },
): NaiveDelivery[] {
  const start = Math.max(0, deliveries.length - 1 - back);
  return deliveries.slice(start, start + count);
}

/** The same data once more, with its attributes put right or something else wrong with them. */
function twin(
  deliveries: readonly NaiveDelivery[],
  { back, fault }: { back: number; fault: Fault | undefined },
): NaiveDelivery[] {
  const one = deliveries.at(-1 - back);
  const isDataRight = one?.kind === 'numbered' && (one.valid || one.fault !== undefined);
  return isDataRight ? [{ ...one, fault, valid: fault === undefined }] : [];
}

type Make = (session: NaiveSession) => NaiveDelivery;

function plan(step: Exclude<Step, { do: 'again' | 'twin' }>): readonly Make[] {
  switch (step.do) {
    case 'next':
      return repeat(step.count, (now) => numbered(step, now, now.epoch, now.writer, now.last + 1));
    case 'ahead':
      return [(now) => numbered(step, now, now.epoch, now.writer, now.last + 1 + step.by)];
    case 'behind':
      return [(now) => numbered(step, now, now.epoch, now.writer, now.last - step.by)];
    case 'other':
      return [(now) => numbered(step, now, now.epoch + step.epoch, step.writer, now.last + step.by)];
    case 'claim':
      return repeat(step.count, (now) => claim(Math.max(1, now.epoch + step.above), step.writer, step.session));
    case 'reclaim':
      return [(now) => reclaim(step, now)];
    case 'skip':
      return [
        (now) =>
          skip(Math.max(1, now.last + step.by), Math.max(1, now.epoch + step.above), `id-${step.id}`, step.session),
      ];
    case 'unreadable':
      return [() => (step.homeless ? homeless(step.text) : unreadable(step.text, step.session))];
  }
}

function repeat(count: number, make: Make): readonly Make[] {
  return Array.from({ length: count }, () => make);
}

function numbered(
  { session: name, write: { type, variation, valid, fault } }: { session: string; write: Write },
  _now: NaiveSession,
  epoch: number,
  by: string | undefined,
  sequence: number,
): NaiveDelivery {
  return command(Math.max(1, sequence), {
    session: name,
    epoch: Math.max(1, epoch),
    writer: by ?? writers[0],
    type,
    variation,
    valid,
    fault,
  });
}

function reclaim(
  step: { session: string; back: number; writer: string | undefined },
  now: NaiveSession,
): NaiveDelivery {
  const reign = now.earlier.at(-1 - step.back);
  return claim(
    reign?.epoch ?? Math.max(1, now.epoch),
    step.writer ?? reign?.writer ?? now.writer ?? writers[0],
    step.session,
  );
}
