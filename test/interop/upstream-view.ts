import { type Json, parseJson } from './json-tree.ts';
import { type Default, entryFields, type Fields, knowsReceipts, type Release, snapshotFields } from './releases.ts';

/** What a store holds of one session, documents as they were sent. */
export interface StoredSession {
  readonly id: string;
  readonly log: readonly string[];
  readonly snapshot: string | undefined;
  readonly receipt: Uint8Array | undefined;
  readonly anchor: Uint8Array | undefined;
}

/**
 * The line that upstream's own code dumps of a session, worked out from the documents without any code that is tested:
 * known fields only, missing ones with their defaults, members sorted by name, numbers as serde_json writes them.
 */
export function upstreamLine(session: StoredSession, release: Release, listed: boolean): string {
  const opaque = (bytes: Uint8Array | undefined): string =>
    bytes === undefined || !knowsReceipts(release) ? 'null' : `[${bytes.join(',')}]`;
  const entries = session.log.map((text) => struct(parseJson(text), entryFields[release], {}));
  return object([
    ['anchor', opaque(session.anchor)],
    ['listed', `${listed}`],
    ['log', `[${entries.join(',')}]`],
    ['receipt', opaque(session.receipt)],
    ['session', session.snapshot === undefined ? 'null' : snapshot(parseJson(session.snapshot), release)],
    ['session_id', JSON.stringify(session.id)],
  ]);
}

type Rendering = Readonly<Record<string, (value: Json) => string>>;

const policyFields: Fields = new Map(
  ['policy_id', 'mode', 'description', 'rules', 'schema_version'].map((name): [string, Default] => [name, 'required']),
);
const rootFields: Fields = new Map(['uri', 'name'].map((name): [string, Default] => [name, 'required']));

const snapshotRendering: Rendering = {
  // A hash set: whoever loads it cannot tell the order, nor how often an id stood there.
  seen_message_ids: (value) => `[${sortedTexts(new Set(items(value).map(text))).join(',')}]`,
  roots: (value) => `[${items(value).map((root) => struct(root, rootFields, {}))}]`,
  policy_definition: (value) => (value.kind === 'object' ? struct(value, policyFields, {}) : render(value)),
};

/** A `Session` has no schema version, and always a time to live: what is loaded is saved with both made up. */
function snapshot(tree: Json, release: Release): string {
  const given = new Map(membersOf(tree));
  const integer = (name: string): bigint => {
    const value = given.get(name);
    return value?.kind === 'number' ? BigInt(value.text) : 0n;
  };
  const ttl = integer('ttl_ms') > 0n ? integer('ttl_ms') : integer('ttl_expiry') - integer('started_at_unix_ms');
  given.set('schema_version', { kind: 'number', text: '2' });
  given.set('ttl_ms', { kind: 'number', text: `${BigInt.asIntN(64, saturated(ttl))}` });
  return struct({ kind: 'object', members: [...given] }, snapshotFields[release], snapshotRendering);
}

function saturated(value: bigint): bigint {
  const most = 2n ** 63n - 1n;
  if (value > most) return most;
  return value < -most - 1n ? -most - 1n : value;
}

function struct(tree: Json, fields: Fields, rendering: Rendering): string {
  const given = new Map(membersOf(tree));
  const members = [...fields].map(([name, whenMissing]): readonly [string, string] => {
    const value = given.get(name);
    if (value !== undefined) return [name, (rendering[name] ?? render)(value)];
    if (whenMissing === 'required') throw new TypeError(`${name} is missing`);
    return [name, whenMissing];
  });
  return object(members);
}

function render(value: Json): string {
  switch (value.kind) {
    case 'object':
      return object([...new Map(value.members.map(([name, member]) => [name, render(member)]))]);
    case 'array':
      return `[${value.items.map(render).join(',')}]`;
    case 'string':
      return JSON.stringify(value.value);
    case 'number':
      return number(value.text);
    default:
      return value.text;
  }
}

/** As serde_json writes it: whole numbers of 64 bits as they are, all others as floating point, which always shows. */
function number(written: string): string {
  if (/^-?\d+$/.test(written) && written !== '-0') {
    const value = BigInt(written);
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return written;
  }
  const value = Number(written);
  if (Object.is(value, -0)) return '-0.0';
  const shortest = `${value}`;
  const [digits = '', exponent] = shortest.split('e');
  if (exponent === undefined && Math.abs(value) >= 1e16) return exponential(digits);
  return exponent === undefined && !digits.includes('.') ? `${digits}.0` : shortest;
}

/** JavaScript writes numbers out up to 10^21, serde_json up to 10^16. */
function exponential(digits: string): string {
  const [, sign = '', first = '', rest = ''] = /^(-?)(\d)(\d*)$/.exec(digits) ?? [];
  const fraction = rest.replace(/0+$/, '');
  return `${sign}${first}${fraction === '' ? '' : `.${fraction}`}e+${rest.length}`;
}

function object(members: readonly (readonly [string, string])[]): string {
  const sorted = [...members].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

function membersOf(value: Json): readonly (readonly [string, Json])[] {
  if (value.kind !== 'object') throw new TypeError(`no object: ${value.kind}`);
  return value.members;
}

function items(value: Json): readonly Json[] {
  if (value.kind !== 'array') throw new TypeError(`no array: ${value.kind}`);
  return value.items;
}

function text(value: Json): string {
  if (value.kind !== 'string') throw new TypeError(`no string: ${value.kind}`);
  return value.value;
}

function sortedTexts(texts: Iterable<string>): readonly string[] {
  const sorted = [...texts].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return sorted.map((each) => JSON.stringify(each));
}
