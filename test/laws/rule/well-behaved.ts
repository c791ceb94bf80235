import fc from 'fast-check';
import { claim, command, types } from './commands.ts';
import type { NaiveDelivery, NumberedDelivery } from './naive-delivery.ts';

/**
 * Histories of writers that keep to the contract: each claims, numbers from `last + 1` once its claim was applied,
 * repairs what was refused, corrects an attribute whether or not it was refused yet, and may die at any point with
 * commands still under way. What the queue does to them is drawn as well: disorder, doubles, redelivery, and the dead
 * writers' commands that arrive after they were fenced.
 */
export interface WellBehaved {
  readonly deliveries: readonly NaiveDelivery[];
  /** By session, the commands that take effect, once each and in order. */
  readonly expected: ReadonlyMap<string, readonly NumberedDelivery[]>;
}

interface ReignPlan {
  readonly claims: boolean;
  readonly writes: readonly { readonly type: (typeof types)[keyof typeof types]; readonly fate: number }[];
  /** Where each command and double stands in the reign's deliveries. */
  readonly disorder: readonly number[];
  /** How many of the reign's deliveries come only after the next claim. */
  readonly late: number;
}

const reignPlan: fc.Arbitrary<ReignPlan> = fc.record({
  claims: fc.boolean(),
  writes: fc.array(fc.record({ type: fc.constantFrom(...Object.values(types)), fate: fc.nat(11) }), {
    minLength: 1,
    maxLength: 9,
  }),
  disorder: fc.array(fc.nat(1000), { minLength: 24, maxLength: 24 }),
  late: fc.nat(6),
});

/** The histories; `redeliveries` of stretches from earlier positions are scattered over them. */
export const wellBehaved: fc.Arbitrary<WellBehaved> = fc
  .record({
    sessions: fc.array(fc.array(reignPlan, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
    interleaving: fc.array(fc.nat(2), { maxLength: 200 }),
    rewinds: fc.array(fc.record({ at: fc.nat(200), back: fc.nat(40), count: fc.nat(40) }), { maxLength: 4 }),
  })
  .map(({ sessions, interleaving, rewinds }) => {
    const told = sessions.map((reigns, index) => tell(`session-${index}`, reigns));
    const merged = interleave(
      told.map(({ deliveries }) => deliveries),
      interleaving,
    );
    return {
      deliveries: rewinds.reduce(rewind, merged),
      expected: new Map(told.map(({ applied }, index) => [`session-${index}`, applied])),
    };
  });

/** One session: its deliveries in queue order, and what takes effect. */
function tell(
  session: string,
  reigns: readonly ReignPlan[],
): { readonly deliveries: readonly NaiveDelivery[]; readonly applied: readonly NumberedDelivery[] } {
  const deliveries: NaiveDelivery[] = [];
  const applied: NumberedDelivery[] = [];
  let late: readonly NaiveDelivery[] = [];
  let last = 0;
  reigns.forEach((reign, index) => {
    const writer = `//test/${session}/${index}`;
    const epoch = index + 1;
    if (index > 0 || reign.claims) deliveries.push(claim(epoch, writer, session));
    const { effects, sent } = write(session, writer, epoch, last, reign);
    const isLast = index === reigns.length - 1;
    const inTime = isLast ? sent : sent.slice(0, Math.max(0, sent.length - reign.late));
    // The dead writers' commands arrive somewhere among those of the living.
    deliveries.push(
      ...interleave(
        [inTime, late],
        reign.disorder.map((die) => die % 2),
      ),
    );
    late = sent.slice(inTime.length);
    const done = effects.filter((_, at) =>
      effects.slice(0, at + 1).every(({ steps }) => steps.every((step) => inTime.includes(step))),
    );
    for (const { command: effect } of done) if (effect !== undefined) applied.push(effect);
    last += done.length;
  });
  return { deliveries: [...deliveries, ...late], applied };
}

/** One number of a reign: what has to arrive before it is passed, and the command that then takes effect. */
interface Effect {
  readonly steps: readonly NaiveDelivery[];
  /** What is sent: with it, in any order, the same data under an attribute that was wrong at first. */
  readonly sent: readonly NaiveDelivery[];
  readonly command: NumberedDelivery | undefined;
}

function write(
  session: string,
  writer: string,
  epoch: number,
  last: number,
  { writes, disorder }: ReignPlan,
): { readonly effects: readonly Effect[]; readonly sent: readonly NaiveDelivery[] } {
  const effects = writes.map(({ type, fate }, index): Effect => {
    const good = command(last + index + 1, { session, writer, epoch, type, variation: fate % 3 });
    const bad = command(last + index + 1, { session, writer, epoch, type, valid: false });
    const misnamed: NumberedDelivery = { ...good, fault: 'misnamed', valid: false };
    if (fate === 0) return { steps: [bad, good], sent: [bad, good], command: good };
    return { steps: [good], sent: fate === 1 ? [misnamed, good] : [good], command: good };
  });
  const arriving = effects.flatMap(({ sent }, index): readonly NaiveDelivery[] =>
    (disorder[index] ?? 0) % 4 === 0 ? [...sent, ...sent] : sent,
  );
  return { effects, sent: disordered(arriving, disorder, effects) };
}

/** Delays each delivery by up to four places; other data is sent only after what it repairs was refused. */
function disordered(
  sent: readonly NaiveDelivery[],
  disorder: readonly number[],
  effects: readonly Effect[],
): readonly NaiveDelivery[] {
  if (effects.some(({ steps }) => steps.length > 1)) return sent;
  return sent
    .map((delivery, index) => ({ delivery, place: index + ((disorder[index % disorder.length] ?? 0) % 5) }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ delivery }) => delivery);
}

/** Merges the lists, each kept in its order; `choices` says which goes next. */
function interleave<Item>(lists: readonly (readonly Item[])[], choices: readonly number[]): readonly Item[] {
  const rest = lists.map((list) => [...list]);
  const merged: Item[] = [];
  for (const choice of choices) {
    const item = rest[choice % rest.length]?.shift();
    if (item !== undefined) merged.push(item);
  }
  return [...merged, ...rest.flat()];
}

/** Delivers again, after the delivery at `at`, up to `count` of what stood before it. */
function rewind(
  deliveries: readonly NaiveDelivery[],
  { at, back, count }: { readonly at: number; readonly back: number; readonly count: number },
): readonly NaiveDelivery[] {
  const place = Math.min(at, deliveries.length);
  const start = Math.max(0, place - back);
  const again = deliveries.slice(start, Math.min(start + count, place));
  return [...deliveries.slice(0, place), ...again, ...deliveries.slice(place)];
}
