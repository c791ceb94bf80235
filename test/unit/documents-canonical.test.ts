import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonicalDump, canonicalDumpParts, canonicalJson } from '../../src/domain/documents/canonical.ts';
import { checkData } from '../../src/domain/documents/check-data.ts';
import { compareText } from '../../src/domain/documents/text-order.ts';
import { parseSessionId, type SessionId } from '../../src/domain/identifiers.ts';

const fixture = (path: string): string[] =>
  readFileSync(new URL(`../fixtures/golden/${path}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

interface Folded {
  log: Uint8Array[];
  snapshot: Uint8Array | undefined;
}

/** Applies a recorded stream naively; every command's data must pass the check. */
function fold(lines: readonly string[]): Map<SessionId, Folded> {
  const sessions = new Map<SessionId, Folded>();
  for (const line of lines) {
    const { type, subject } = JSON.parse(line) as { type: string; subject: string };
    const session = parseSessionId(subject);
    const dataAt = line.indexOf(',"data":');
    const text = dataAt < 0 ? '' : line.slice(dataAt + ',"data":'.length, -1);
    const { data, facts, refusal } = checkData(type, session, Buffer.from(text, 'utf8'));
    expect(refusal).toBeUndefined();
    expect(Buffer.from(data).toString('utf8')).toBe(text);
    const folded = sessions.get(session) ?? { log: [], snapshot: undefined };
    sessions.set(session, folded);
    if (type === 'macp.log.append.v1') folded.log.push(data);
    else if (type === 'macp.session.save.v1') folded.snapshot = data;
    else if (type === 'macp.session.delete.v1') sessions.delete(session);
    else if (type === 'macp.log.replace.v1') {
      const bounds = facts.entryBounds ?? [];
      folded.log = [];
      for (let index = 0; index < bounds.length; index += 2) {
        folded.log.push(data.subarray(bounds[index], bounds[index + 1]));
      }
    }
  }
  return sessions;
}

const recordings = [
  ['v0.4.0/commands.ndjson', 'v0.4.0/expected.ndjson'],
  ['v0.13.0/commands.ndjson', 'v0.13.0/expected.ndjson'],
  ['edge/commands.ndjson', 'edge/expected-verbatim.ndjson'],
] as const;

describe('the canonical dump', () => {
  it.each(recordings)('of %s equals %s byte for byte', (commands, expected) => {
    const sessions = fold(fixture(commands));
    const lines = [...sessions]
      .sort(([one], [other]) => compareText(one, other))
      .map(([session, { log, snapshot }]) => canonicalDump({ session, log, snapshot }));
    expect(lines).toEqual(fixture(expected));
  });

  it('in parts says the same as in one piece', async () => {
    for (const [session, { log, snapshot }] of fold(fixture('v0.13.0/commands.ndjson'))) {
      const parts: string[] = [];
      for await (const part of canonicalDumpParts({ session, log, snapshot })) parts.push(part);
      expect(parts.join('')).toBe(canonicalDump({ session, log, snapshot }));
    }
  });

  it('says null for a missing snapshot and an empty array for an empty log', () => {
    const session = parseSessionId('a"b');
    expect(canonicalDump({ session, log: [], snapshot: undefined })).toBe(
      '{"log":[],"session":null,"session_id":"a\\"b"}',
    );
  });

  it('names the session when a stored document is not JSON', () => {
    const input = { session: parseSessionId('s1'), log: [Buffer.from('{"a":1')], snapshot: undefined };
    expect(() => canonicalDump(input)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  });
});

describe('canonical JSON', () => {
  const canonical = (text: string, sortedMember?: string): string => canonicalJson(Buffer.from(text), sortedMember);

  it.each([
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    [
      '{"b":{"d":[{"z":1,"y":2},{}],"c":{}},"a":[1,[2,{"f":1,"e":2}]]}',
      '{"a":[1,[2,{"e":2,"f":1}]],"b":{"c":{},"d":[{"y":2,"z":1},{}]}}',
    ],
    ['[{"b":1,"a":2},{"d":1,"c":2}]', '[{"a":2,"b":1},{"c":2,"d":1}]'],
    ['{ "b" : 0.0 , "a" : -0e+05 , "c":12345678901234567890 }', '{"a":-0e+05,"b":0.0,"c":12345678901234567890}'],
    ['{"b":"}{\\"","a":"\\u0041\\/"}', '{"a":"\\u0041\\/","b":"}{\\""}'],
    ['{"b":1,"\\u0061":2}', '{"\\u0061":2,"b":1}'],
    ['{"b":1,"a":2,"b":0}', '{"a":2,"b":1,"b":0}'],
    ['{"\u{10000}":1,"\uffff":2}', '{"\uffff":2,"\u{10000}":1}'],
    ['{"ab":1,"":2,"a":3}', '{"":2,"a":3,"ab":1}'],
    ['{}', '{}'],
    [' [ ] ', '[]'],
    ['"x"', '"x"'],
    ['1.50', '1.50'],
  ])('%s becomes %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it('sorts the named member of the outermost object only', () => {
    expect(canonical('{"s":["b","\\u0061"],"x":{"s":["b","a"]}}', 's')).toBe(
      '{"s":["\\u0061","b"],"x":{"s":["b","a"]}}',
    );
    expect(canonical('{"s":["b",1,"a"]}', 's')).toBe('{"s":["b",1,"a"]}');
    expect(canonical('{"s":[]}', 's')).toBe('{"s":[]}');
  });

  it('follows any nesting', () => {
    const depth = 100_000;
    const text = `${'{"b":[0],"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
    const expected = `${'{"a":['.repeat(depth)}1${'],"b":[0]}'.repeat(depth)}`;
    expect(canonical(text) === expected).toBe(true);
  });
});
