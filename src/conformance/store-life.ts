import type { Plan } from '../domain/plan.ts';
import { PlanBuilder, someDeadLetter, someDecision, someParked, somePosition } from './store-plan-builder.ts';
import { ada, bob, bytes, entries, source } from './store-samples.ts';

/** Plans that touch everything there is, each after the one before. */
export function lifeOfTwoSessions(): readonly Plan[] {
  const builder = new PlanBuilder();
  const parked = [someParked(9), someParked(11, undefined, 'INVALID_ATTRIBUTE')];
  const steps: readonly (() => PlanBuilder)[] = [
    () =>
      builder
        .create(ada)
        .append(ada, ...entries(0, 3))
        .save(ada, bytes('{"a":1}'))
        .position(source, 0, somePosition(3)),
    () =>
      builder
        .append(ada, ...entries(3, 5))
        .append(bob, ...entries(0, 1))
        .receipt(ada, bytes('receipt')),
    () =>
      builder
        .park(ada, ...parked)
        .position(source, 1, somePosition(7))
        .position(source, 0, somePosition(5)),
    () =>
      builder
        .replace(ada, ...entries(20, 22))
        .anchor(ada, bytes('anchor'))
        .file(ada, someDeadLetter('one', ada)),
    () =>
      builder
        .unpark(ada, ...parked.slice(0, 1))
        .append(ada, ...entries(22, 24))
        .unreadable(someDeadLetter('two', undefined)),
    () =>
      builder
        .cursor(ada, { halted: true, refused: true })
        .cursor(bob, { refused: true })
        .file(ada, someDecision('four', ada), { ...someDeadLetter('five', ada), reason: 'conflict' }),
    () => builder.cursor(ada, { halted: false }).park(bob, someParked(4)),
    () => builder.remove(ada).save(bob, bytes('{"b":2}')).position(source, 0, somePosition(9)),
    () => builder.append(ada, ...entries(40, 41)).file(bob, someDecision('three', bob)),
    () =>
      builder
        .replace(bob)
        .unpark(ada, ...parked.slice(1))
        .remove(ada)
        .replace(ada, ...entries(50, 53)),
  ];
  return steps.map((step) => step().build());
}
