import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { type Mishap, mishaps } from './gateway/unsteady-queue.ts';
import { World } from './gateway/world.ts';

const sessions = ['one', 'two'] as const;

type Step =
  | { readonly kind: 'append' | 'read' | 'rival'; readonly session: string }
  | { readonly kind: 'trouble'; readonly mishap: Mishap; readonly times: number }
  | { readonly kind: 'turns' | 'advance' | 'stall'; readonly count: number }
  | { readonly kind: 'release' | 'hold workers' | 'let workers go' | 'another runtime' | 'another gateway' };

const session = fc.constantFrom(...sessions);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('append' as const), session }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('read', 'rival'), session }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('trouble' as const),
      mishap: fc.constantFrom(...mishaps),
      times: fc.constantFrom(1, 1, 1, 8),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat(30) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('advance', 'stall'), count: fc.nat(450) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('release', 'hold workers', 'let workers go', 'another runtime', 'another gateway'),
    }),
  },
);

/** Takes the steps, lets all troubles end, and checks that whatever anybody was told is true. */
async function runThrough(steps: readonly Step[], isFencing: boolean): Promise<World> {
  await using world = new World(isFencing);
  for (const one of steps) await take(world, one, isFencing);
  await world.settle();
  for (const session of sessions) await checkSession(world, session);
  // Where nobody else writes, nothing that was sent was ever fenced.
  if (isFencing) expect(await world.system.filed()).toEqual([]);
  return world;
}

async function take(world: World, step: Step, isFencing: boolean): Promise<void> {
  switch (step.kind) {
    case 'append':
      return world.append(step.session);
    case 'read':
      return world.read(step.session);
    case 'rival':
      // Where writers are fenced, whoever claims a gateway's session all the same breaks what it promises.
      return isFencing ? undefined : await world.rivalClaim(step.session);
    case 'trouble':
      world.unsteady.mishaps.push(...Array<Mishap>(step.times).fill(step.mishap));
      return;
    case 'turns':
      return await turns(step.count);
    case 'advance':
      return await world.clock.advance(step.count);
    case 'stall':
      return world.clock.stall(step.count);
    case 'release':
      return world.unsteady.release();
    case 'hold workers':
      world.held.release();
      return world.held.hold();
    case 'let workers go':
      return world.held.release();
    case 'another runtime':
      return world.startRuntime(sessions);
    case 'another gateway':
      // Failover is offered only where one gateway can shut the other out.
      return isFencing ? world.takeOver(sessions) : world.startRuntime(sessions);
  }
}

async function checkSession(world: World, session: string): Promise<void> {
  const log = await world.system.marks(session);
  const sent = world.appended.filter((one) => one.session === session);
  const marksOf = (isMeant: (told: string) => boolean): readonly string[] =>
    sent.filter(({ told }) => isMeant(String(told))).map(({ mark }) => mark);
  // In the order in which it was sent, and nothing twice.
  expect(log).toEqual(sent.map(({ mark }) => mark).filter((mark) => log.includes(mark)));
  expect(log).toEqual(expect.arrayContaining([...world.acknowledged(session)]));
  expect(marksOf((told) => told.startsWith('ERR')).filter((mark) => log.includes(mark))).toEqual([]);
  for (const { mark, told } of sent) {
    const length = /^\(integer\) (\d+)$/.exec(String(told))?.[1];
    if (length !== undefined) expect(log[Number(length) - 1]).toBe(mark);
  }
  for (const { marks, known, runtime } of world.seen.filter((one) => one.session === session)) {
    expect(log.slice(0, marks.length)).toEqual(marks);
    expect(marks).toEqual(expect.arrayContaining([...known]));
    // What a runtime before it wrote never comes after what it has read.
    const later = sent.filter(({ mark }) => log.includes(mark) && !marks.includes(mark));
    expect(later.filter((one) => one.runtime < runtime)).toEqual([]);
  }
}

/** A publish that was durable although it failed, then found no room, and then a successor: it was told as refused. */
const foundOnce: Step[] = [
  { kind: 'trouble', mishap: 'written', times: 1 },
  { kind: 'append', session: 'one' },
  { kind: 'trouble', mishap: 'full', times: 1 },
  { kind: 'turns', count: 1 },
  { kind: 'another gateway' },
  { kind: 'append', session: 'one' },
  { kind: 'advance', count: 10 },
  { kind: 'read', session: 'one' },
];

describe.each([
  ['that fences writers', true],
  ['that fences none', false],
] as const)('on a queue %s', (_, isFencing) => {
  test('whatever happens at whatever moment: what was acknowledged is there, and what was refused never is', async () => {
    const told = { integer: 0, ERR: 0, cut: 0, seen: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 40 }), async (steps) => {
        const { appended, seen } = await runThrough(steps, isFencing);
        for (const name of ['integer', 'ERR', 'cut'] as const)
          told[name] += appended.filter((one) => String(one.told).includes(name)).length;
        told.seen += seen.length;
      }),
      { numRuns: 500, examples: [[foundOnce]] },
    );
    // Every kind of answer was met, many times.
    for (const count of Object.values(told)) expect(count).toBeGreaterThan(20);
  });
});
