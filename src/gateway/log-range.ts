import type { OrdinalRange } from '../ports/log-range.ts';

/**
 * The ordinals that LRANGE's `start` and `stop`, both included and counted from the end where negative, name in a log of
 * `entries` entries.
 */
export function ordinalsOf(start: bigint, stop: bigint, entries: number): OrdinalRange {
  const length = BigInt(entries);
  const first = atLeast(0n, start < 0n ? start + length : start);
  const last = stop < 0n ? stop + length : stop;
  const end = last >= length ? length : last + 1n;
  return first >= end ? { from: 0, to: 0 } : { from: Number(first), to: Number(end) };
}

function atLeast(least: bigint, value: bigint): bigint {
  return value < least ? least : value;
}
