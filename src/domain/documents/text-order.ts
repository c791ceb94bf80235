/**
 * Orders texts by their UTF-8 bytes, which is also the order of their code points. (JavaScript's own order is by
 * UTF-16 units, which puts U+10000 before U+FFFF.) Negative, 0 or positive, as `Array.sort` wants it.
 */
export function compareText(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at += 1) {
    const difference = rank(one.charCodeAt(at)) - rank(other.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** Moves surrogates, of which the characters above U+FFFF consist, above all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
