import type { LogRange } from './store.ts';

/** Ordinals `from`, included, to `to`, excluded; `from <= to`. */
export interface OrdinalRange {
  readonly from: number;
  readonly to: number;
}

/** The part of a log of `entries` entries that `range` names. Throws a TypeError on a negative or fractional bound. */
export function resolveLogRange(range: LogRange, entries: number): OrdinalRange {
  assertCount('from', range.from);
  assertCount('to', range.to);
  assertCount('limit', range.limit);
  const from = Math.min(range.from ?? 0, entries);
  const to = Math.min(range.to ?? entries, entries, from + (range.limit ?? entries));
  return { from, to: Math.max(from, to) };
}

/** `limit` of a page. Throws a TypeError unless it is a whole number from 1. */
export function checkedLimit(limit: number): number {
  assertCount('limit', limit);
  if (limit === 0) throw new TypeError('limit must be at least 1');
  return limit;
}

function assertCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new TypeError(`${name} must be a whole number from 0, not ${value}`);
}
