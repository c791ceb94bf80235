import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberedTypes, skipType } from '../../src/domain/command.ts';
import { canonicalJson } from '../../src/domain/documents/canonical.ts';
import { checkData, readSkipDecision } from '../../src/domain/documents/check-data.ts';
import { JsonSyntaxError } from '../../src/domain/documents/json-reader.ts';
import { compactJson } from '../../src/domain/documents/json-text.ts';
import { compareText } from '../../src/domain/documents/text-order.ts';
import { errorDefinitions } from '../../src/domain/errors.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';

const session = parseSessionId('s1');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
const bytesArray = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const maybe = <Value>(of: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(of, { nil: null });

const logEntry = fc.record(
  {
    message_id: anyText,
    received_at_ms: i64,
    sender: anyText,
    message_type: anyText,
    raw_payload: bytesArray,
    entry_kind: fc.constantFrom('Incoming', 'Internal', 'Checkpoint'),
    session_id: anyText,
    mode: anyText,
    macp_version: anyText,
    timestamp_unix_ms: i64,
    bound_mode_version: maybe(anyText),
    semantics_rev: u32,
    bound_max_suspend_ms: maybe(i64),
    compacted_incoming_ordinals: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    later_field: fc.jsonValue(),
  },
  { requiredKeys: ['message_id', 'received_at_ms', 'sender', 'message_type', 'raw_payload', 'entry_kind'] },
);

const policy = fc.record({
  policy_id: anyText,
  mode: anyText,
  description: anyText,
  rules: fc.jsonValue(),
  schema_version: u32,
});

const snapshot = fc.record(
  {
    schema_version: u32,
    session_id: fc.constant('s1'),
    state: fc.constantFrom('Open', 'Suspended', 'Resolved', 'Expired', 'Cancelled'),
    ttl_expiry: i64,
    ttl_ms: i64,
    started_at_unix_ms: i64,
    resolution: maybe(bytesArray),
    mode: anyText,
    mode_state: bytesArray,
    participants: fc.array(anyText, { maxLength: 4 }),
    seen_message_ids: fc.array(anyText, { maxLength: 4 }),
    intent: anyText,
    mode_version: anyText,
    configuration_version: anyText,
    policy_version: anyText,
    context_id: anyText,
    extensions: fc.dictionary(anyText, bytesArray, { maxKeys: 3 }),
    roots: fc.array(fc.record({ uri: anyText, name: anyText }), { maxLength: 3 }),
    initiator_sender: anyText,
    policy_definition: maybe(policy),
    suspended_at_ms: maybe(i64),
    accumulated_suspended_ms: i64,
    suspension_intervals: fc.array(fc.tuple(i64, i64), { maxLength: 3 }),
    semantics_rev: u32,
    max_suspend_ms: i64,
    later_field: fc.jsonValue(),
  },
  {
    requiredKeys: [
      ...(['session_id', 'state', 'ttl_expiry', 'started_at_unix_ms', 'mode', 'mode_state', 'participants'] as const),
      ...(['seen_message_ids', 'intent', 'mode_version', 'configuration_version', 'policy_version'] as const),
      ...(['roots', 'initiator_sender'] as const),
    ],
  },
);

/** JSON text of `value` with members shuffled by `order`, and bigints written as numbers. */
function write(value: unknown, order: (names: string[]) => string[]): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((element) => write(element, order)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = value as Record<string, unknown>;
  return `{${order(Object.keys(members))
    .map((name) => `${JSON.stringify(name)}:${write(members[name], order)}`)
    .join(',')}}`;
}

const order = fc.constantFrom<(names: string[]) => string[]>(
  (names) => names,
  (names) => names.toReversed(),
  (names) => names.toSorted(),
);
const entryText = fc.tuple(logEntry, order).map(([value, by]) => write(value, by));
const snapshotText = fc.tuple(snapshot, order).map(([value, by]) => write(value, by));

/** A JSON text with white space wherever it may stand. */
const spacedJson = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), fc.array(fc.constantFrom(' ', '\n', '\r', '\t', '', '  \n')), fc.nat(3))
  .map(([value, spaces, indent]) => {
    let taken = 0;
    const space = (): string => (spaces.length === 0 ? '' : (spaces[taken++ % spaces.length] ?? ''));
    const pretty = JSON.stringify(value, null, indent);
    return pretty.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token) => `${space()}${token}${space()}`);
  });

const jsonish = fc
  .array(
    fc.constantFrom(
      ...'{}[],:"\\-+.eE0123456789 \n\t\r/\u000b\u0000\u001f\u007f\ufeff\u2028'.split(''),
      ...[
        'true',
        'false',
        'null',
        'nul',
        '""',
        '"a"',
        '"\\u0041"',
        '\\u',
        'd800',
        '{}',
        '[]',
        '[1',
        '{"a":',
        '1e5',
        '𝄞',
        'é',
      ],
    ),
    { maxLength: 24 },
  )
  .map((pieces) => pieces.join(''));

const isJson = (source: string): boolean => {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
};

const compacts = (source: string): boolean => {
  try {
    compactJson(Buffer.from(source));
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    return false;
  }
};

const outsideStrings = (source: string): string => source.replace(/"(?:[^"\\]|\\.)*"/g, '""');

describe('removing white space', () => {
  it('changes nothing that JSON.parse sees and leaves none outside strings', () => {
    fc.assert(
      fc.property(spacedJson, (source) => {
        const compact = text(compactJson(Buffer.from(source)));
        expect(JSON.parse(compact)).toEqual(JSON.parse(source));
        expect(outsideStrings(compact)).not.toMatch(/\s/);
      }),
      { numRuns: 500 },
    );
  });

  it('of a text without any returns the very same array', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = Buffer.from(JSON.stringify(value));
        expect(compactJson(bytes)).toBe(bytes);
      }),
    );
  });
});

describe('the syntax check', () => {
  it('agrees with JSON.parse on anything that looks a little like JSON', () => {
    fc.assert(
      fc.property(fc.oneof(jsonish, fc.string({ unit: 'grapheme' })), (source) => {
        expect(compacts(source)).toBe(isJson(source));
      }),
      { numRuns: 5000 },
    );
  });

  it('agrees with JSON.parse on JSON with one character changed, added or cut out', () => {
    fc.assert(
      fc.property(
        spacedJson,
        fc.nat(),
        fc.constantFrom('', ...'"\\{}[],:0-.e \u0001tx'.split('')),
        fc.nat(1),
        (source, place, piece, cut) => {
          const at = place % (source.length + 1);
          const changed = (source.slice(0, at) + piece + source.slice(at + cut)).toWellFormed();
          expect(compacts(changed)).toBe(isJson(changed));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('follows nesting of any depth', () => {
    const depth = 1_000_000;
    expect(compacts(`${'['.repeat(depth)}${']'.repeat(depth)}`)).toBe(true);
    expect(compacts(`${'{"":'.repeat(depth)}0${'}'.repeat(depth)}`)).toBe(true);
    expect(compacts(`${'['.repeat(depth)}${']'.repeat(depth - 1)}}`)).toBe(false);
  });
});

describe('checking documents', () => {
  const accepted = (type: string, document: string): void => {
    const data = Buffer.from(document);
    const checked = checkData(type, session, data);
    expect(checked.refusal).toBeUndefined();
    expect(checked.data).toBe(data);
  };

  it('accepts every log entry that upstream could write, in any order of members', () => {
    fc.assert(
      fc.property(entryText, (document) => accepted('macp.log.append.v1', document)),
      { numRuns: 300 },
    );
  });

  it('accepts every snapshot that upstream could write, in any order of members', () => {
    fc.assert(
      fc.property(snapshotText, (document) => accepted('macp.session.save.v1', document)),
      { numRuns: 300 },
    );
  });

  it('accepts every array of log entries and finds each entry in it', () => {
    fc.assert(
      fc.property(fc.array(entryText, { maxLength: 5 }), fc.constantFrom('', ' ', '\n\t'), (entries, space) => {
        const document = Buffer.from(`${space}[${entries.map((entry) => space + entry + space).join(',')}${space}]`);
        const { data, facts, refusal } = checkData('macp.log.replace.v1', session, document);
        expect(refusal).toBeUndefined();
        const bounds = facts.entryBounds ?? [];
        const found = entries.map((_, index) => text(data.subarray(bounds[2 * index], bounds[2 * index + 1])));
        expect(found).toEqual(entries);
        expect(bounds).toHaveLength(2 * entries.length);
      }),
    );
  });

  it('answers any bytes with a verdict, never with an exception', () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.nat(3) });
    const sources = fc.oneof(
      entryText,
      snapshotText,
      entryText.map((entry) => `[${entry}]`),
      jsonish,
    );
    const types = fc.constantFrom(...numberedTypes, skipType, 'other');
    fc.assert(
      fc.property(sources, fc.array(mutation, { maxLength: 4 }), types, (source, mutations, type) => {
        let data = Buffer.from(source);
        for (const { at, byte, cut } of mutations) {
          const place = at % (data.length + 1);
          data = Buffer.concat([data.subarray(0, place), Buffer.of(byte), data.subarray(place + cut)]);
        }
        const { refusal, data: kept } = checkData(type, session, data);
        if (refusal !== undefined) {
          expect(Object.keys(errorDefinitions)).toContain(refusal.code);
          expect(kept).toBe(data);
        }
        readSkipDecision(data);
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts no text that JSON.parse rejects, and what it stores says the same', () => {
    const mutation = fc.tuple(fc.nat(), fc.constantFrom(...'"\\{}[],:0-.e \u0001tx'.split('')));
    fc.assert(
      fc.property(entryText, mutation, (source, [place, piece]) => {
        const at = place % (source.length + 1);
        const changed = (source.slice(0, at) + piece + source.slice(at)).toWellFormed();
        const { data, refusal } = checkData('macp.log.append.v1', session, Buffer.from(changed));
        if (refusal === undefined) expect(JSON.parse(text(data))).toEqual(JSON.parse(changed));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('canonical JSON', () => {
  it('says the same, its members sorted by UTF-8 bytes, and is the same when made again', () => {
    fc.assert(
      fc.property(spacedJson, (source) => {
        const canonical = canonicalJson(Buffer.from(source));
        expect(JSON.parse(canonical)).toEqual(JSON.parse(source));
        expect(canonicalJson(Buffer.from(canonical))).toBe(canonical);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order in which members were written', () => {
    fc.assert(
      fc.property(snapshot, (value) => {
        const [one, other] = [write(value, (names) => names), write(value, (names) => names.toReversed())];
        expect(canonicalJson(Buffer.from(one))).toBe(canonicalJson(Buffer.from(other)));
      }),
    );
  });

  it('orders texts as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        expect(Math.sign(compareText(one, other))).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)));
      }),
      {
        examples: [
          ['\uffff', '\u{10000}'],
          ['a', 'ab'],
          ['\ue000', '\u{10ffff}'],
        ],
      },
    );
  });
});
