const maximumLength = 64;
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * True when `bytes` are an RFC 3339 `date-time`: `2026-11-24T15:04:05Z`, with any fraction of a second (at most 64
 * characters in all) and any offset. Second 60 is allowed, as there; that a leap second really fell there is not checked.
 */
export function isTimestamp(bytes: Uint8Array): boolean {
  if (bytes.length < 20 || bytes.length > maximumLength) return false;
  const year = number(bytes, 0, 4);
  const month = number(bytes, 5, 2);
  const day = number(bytes, 8, 2);
  if (year < 0 || bytes[4] !== 0x2d || bytes[7] !== 0x2d || !isDay(year, month, day)) return false;
  if (((bytes[10] ?? 0) | 0x20) !== 0x74) return false;
  if (!isWithin(number(bytes, 11, 2), 23) || bytes[13] !== 0x3a) return false;
  if (!isWithin(number(bytes, 14, 2), 59) || bytes[16] !== 0x3a) return false;
  if (!isWithin(number(bytes, 17, 2), 60)) return false;
  return isOffset(bytes, afterFraction(bytes, 19));
}

function afterFraction(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== 0x2e) return start;
  let at = start + 1;
  while (digit(bytes[at]) >= 0) at += 1;
  // A point without digits: where it stands, no offset can begin.
  return at === start + 1 ? start : at;
}

function isOffset(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] ?? 0;
  if ((byte | 0x20) === 0x7a) return bytes.length === at + 1;
  if (byte !== 0x2b && byte !== 0x2d) return false;
  if (bytes.length !== at + 6 || bytes[at + 3] !== 0x3a) return false;
  return isWithin(number(bytes, at + 1, 2), 23) && isWithin(number(bytes, at + 4, 2), 59);
}

function isDay(year: number, month: number, day: number): boolean {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (month === 2 && leap ? 29 : (daysOfMonth[month - 1] ?? 0));
}

function isWithin(value: number, largest: number): boolean {
  return value >= 0 && value <= largest;
}

/** The number that the `length` digits at `start` write, or a negative one when they are not all digits. */
function number(bytes: Uint8Array, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at += 1) {
    const next = digit(bytes[at]);
    if (next < 0) return -1;
    value = value * 10 + next;
  }
  return value;
}

function digit(byte: number | undefined): number {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}
