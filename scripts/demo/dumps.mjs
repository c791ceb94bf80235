const newline = 0x0a;

/**
 * The lines of NDJSON bytes. Split at line feeds only: JSON text may hold U+2028.
 *
 * @param {Buffer} bytes
 */
export function lines(bytes) {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/**
 * Several dumps as one, in the order of a dump: by the UTF-8 bytes of the session ids.
 *
 * @param {readonly Buffer[]} dumps
 */
export function inOneOrder(dumps) {
  const sessions = dumps.flatMap(lines).map((line) => ({ line, id: Buffer.from(JSON.parse(line).session_id) }));
  sessions.sort((one, other) => Buffer.compare(one.id, other.id));
  return Buffer.from(sessions.map(({ line }) => `${line}\n`).join(''));
}

/**
 * Where two dumps that are not equal part, for people.
 *
 * @param {Buffer} dump
 * @param {Buffer} expected
 */
export function firstDifference(dump, expected) {
  let at = 0;
  while (at < dump.length && dump[at] === expected[at]) at += 1;
  const line = dump.subarray(0, at).filter((byte) => byte === newline).length + 1;
  const around = (/** @type {Buffer} */ bytes) =>
    JSON.stringify(bytes.subarray(Math.max(0, at - 40), at + 40).toString());
  return `line ${line}, byte ${at}: ${around(dump)}, expected ${around(expected)}`;
}
