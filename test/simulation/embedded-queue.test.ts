import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { examine } from './embedded-queue/examine.ts';
import { runProgram, World } from './embedded-queue/program.ts';
import { type EffectKind, type Fault, type Omission, SimulatedDisk } from './embedded-queue/simulated-disk.ts';
import { SimulatedLedger } from './embedded-queue/simulated-ledger.ts';
import type { Random } from './embedded-queue/simulated-nodes.ts';

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

interface Case {
  readonly seed: number;
  readonly fault?: Fault;
  readonly omission?: Omission;
  /** Whether the power goes off as well when the process ends. */
  readonly powerOff: boolean;
}

/** Runs the program into the fault, examines what is left, cuts the power, and examines again. */
async function survive({ seed, fault, omission, powerOff }: Case): Promise<readonly EffectKind[]> {
  const disk = new SimulatedDisk(seeded(seed), omission);
  if (fault !== undefined) disk.breakAt(fault);
  const ledger = new SimulatedLedger();
  const world = new World();
  await runProgram(disk, ledger, world);
  let left = disk.restarted(powerOff);
  ledger.restart();
  await examine(left, ledger, world);
  // What was just delivered, from the page cache too, must have been made durable first.
  left = left.restarted(true);
  ledger.restart();
  await examine(left, ledger, world);
  await runProgram(left, ledger, world);
  await examine(left.restarted(true), ledger, world);
  return disk.effects;
}

const effects = await survive({ seed: 1, powerOff: true });

async function surviveEverywhere(make: (at: number) => Case): Promise<void> {
  for (let at = 1; at <= effects.length; at += 1) {
    try {
      await survive(make(at));
    } catch (cause) {
      throw new assert.AssertionError({
        message: `at effect ${at}, ${effects[at - 1]}: ${String(cause)}`,
        actual: cause,
      });
    }
  }
}

describe('the embedded queue', () => {
  test('the program reaches every kind of effect', () => {
    const kinds: EffectKind[] = ['write', 'datasync', 'create', 'makeDirectory', 'remove', 'syncDirectory'];
    for (const kind of kinds) assert.ok(effects.includes(kind), kind);
  });

  test.each([1, 2, 3, 4])(
    'loses nothing it acknowledged when the power is cut, at any effect (seed %i)',
    async (seed) => {
      await surviveEverywhere((at) => ({ seed: seed * 1_000 + at, fault: { kind: 'power cut', at }, powerOff: true }));
    },
  );

  test('loses nothing it acknowledged when the process dies, at any effect', async () => {
    await surviveEverywhere((at) => ({ seed: at, fault: { kind: 'power cut', at }, powerOff: false }));
  });

  test.each([true, false])('survives EIO, from syncs too, at any effect (power off after it: %s)', async (powerOff) => {
    await surviveEverywhere((at) => ({ seed: at, fault: { kind: 'EIO', at }, powerOff }));
  });

  test.each([1, 2, 9])('keeps to what it said when the disk is full for %i effects, at any effect', async (count) => {
    await surviveEverywhere((at) => ({ seed: at, fault: { kind: 'ENOSPC', at, effects: count }, powerOff: true }));
    await surviveEverywhere((at) => ({ seed: at, fault: { kind: 'ENOSPC', at, effects: count }, powerOff: false }));
  });

  test.each([2, 3, 4, 5])(
    'what a full disk refused stays out when the power is cut %i effects later',
    async (later) => {
      await surviveEverywhere((at) => ({
        seed: at * later,
        fault: { kind: 'ENOSPC', at, effects: 1, thenCutAt: at + later },
        powerOff: true,
      }));
    },
  );

  test.each(['datasync', 'syncDirectory'] as const)(
    'a file system whose %s does nothing is caught',
    async (omission) => {
      await assert.rejects(
        surviveEverywhere((at) => ({ seed: at, fault: { kind: 'power cut', at }, omission, powerOff: true })),
        assert.AssertionError,
      );
    },
  );
});
