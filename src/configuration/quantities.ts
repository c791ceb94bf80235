/**
 * Sizes and durations as people write them: a whole number and a unit, without or with one space between. A size
 * without a unit is in bytes; a duration always needs its unit.
 */

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
]);

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** The syntax of a size as a regular expression, for schemas. */
export const sizePattern = /^[0-9]{1,15} ?(?:B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?$/;
/** The syntax of a duration as a regular expression, for schemas. */
export const durationPattern = /^[0-9]{1,15} ?(?:ms|s|m|h|d)$/;

export const sizeSyntax =
  'a whole number with a unit, such as 64MiB (B, KiB, MiB, GiB, TiB count in 1,024; kB, MB, GB, TB in 1,000)';
export const durationSyntax = 'a whole number with a unit, such as 500ms or 7d (ms, s, m, h, d)';

/** Bytes of a size such as `64MiB`, or undefined when `text` is none or goes beyond 2^53-1. */
export function parseSize(text: string): number | undefined {
  return sizePattern.test(text) ? quantity(text, sizeUnits) : undefined;
}

/** Milliseconds of a duration such as `7d`, or undefined when `text` is none or goes beyond 2^53-1. */
export function parseDuration(text: string): number | undefined {
  return durationPattern.test(text) ? quantity(text, durationUnits) : undefined;
}

/** Bytes as the shortest exact size in units of 1,024. */
export function showSize(bytes: number): string {
  return show(bytes, sizeUnits, ['TiB', 'GiB', 'MiB', 'KiB', 'B']);
}

/** Milliseconds as the shortest exact duration. */
export function showDuration(milliseconds: number): string {
  return show(milliseconds, durationUnits, ['d', 'h', 'm', 's', 'ms']);
}

function quantity(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const digits = /^[0-9]+/.exec(text)?.[0] ?? '';
  const unit = units.get(text.slice(digits.length).trim());
  if (digits === '' || unit === undefined) return undefined;
  const value = Number(digits) * unit;
  return Number.isSafeInteger(value) ? value : undefined;
}

function show(value: number, units: ReadonlyMap<string, number>, names: readonly string[]): string {
  const name =
    names.find((candidate) => value !== 0 && value % (units.get(candidate) ?? 1) === 0) ?? names.at(-1) ?? '';
  return `${value / (units.get(name) ?? 1)}${name}`;
}
