import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { initialCursor } from '../../src/domain/cursor.ts';
import { canonicalDump } from '../../src/domain/documents/canonical.ts';
import type { CopySource } from '../../src/ports/copy-source.ts';
import { examineUpstreamFiles, openUpstreamFiles } from '../../src/stores/upstream-file/upstream-file-source.ts';
import { fingerprint } from '../support/fingerprint.ts';

const golden = join(root, 'test/fixtures/golden');
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upstream-files-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function open(onRemark: (text: string) => void = () => undefined): Promise<CopySource> {
  return openUpstreamFiles({ directory, onRemark });
}

/** The dumps of all sessions, and what was remarked while they were read. */
async function dump(): Promise<{ readonly lines: readonly string[]; readonly remarks: readonly string[] }> {
  const remarks: string[] = [];
  const lines: string[] = [];
  await using source = await open((text) => remarks.push(text));
  for await (const session of source.sessions()) {
    await using read = await source.open(session);
    const log: Uint8Array[] = [];
    for await (const page of read?.log() ?? []) log.push(...page);
    lines.push(canonicalDump({ session, snapshot: await read?.snapshot(), log }));
  }
  return { lines, remarks };
}

function expected(folder: string): readonly string[] {
  return readFileSync(join(golden, folder, 'expected.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
}

function entry(id: string, more: object = {}): string {
  const required = {
    received_at_ms: 1,
    sender: 's',
    message_type: 'Message',
    raw_payload: [1],
    entry_kind: 'Incoming',
  };
  return JSON.stringify({ message_id: id, ...required, ...more });
}

function place(session: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  const folder = join(directory, 'sessions', session);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}

const ids = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => JSON.parse(line).log.map(({ message_id }: { message_id: string }) => message_id));

test.each(['v0.4.0', 'v0.13.0'])('what %s wrote is read as it was meant, and nothing is touched', async (folder) => {
  cpSync(join(golden, folder, 'file-store'), directory, { recursive: true });
  const before = fingerprint(directory);
  expect(await dump()).toEqual({ lines: expected(folder), remarks: [] });
  expect(fingerprint(directory)).toEqual(before);
});

test('every byte that the crate wrote at the limits of its types is read', async () => {
  for (const line of readFileSync(join(golden, 'edge/raw-file-0.13.0.ndjson'), 'utf8').trimEnd().split('\n')) {
    const { dir, file, value } = JSON.parse(line);
    if (dir !== undefined) mkdirSync(join(directory, dir), { recursive: true });
    if (file !== undefined) writeFileSync(join(directory, file), value);
  }
  const lines = readFileSync(join(golden, 'edge/expected-file-0.13.0.ndjson'), 'utf8').trimEnd().split('\n');
  expect(await dump()).toEqual({ lines, remarks: [] });
});

test('the cursor is the one that adopting gives', async () => {
  const checkpoint = entry('', { entry_kind: 'Checkpoint', compacted_incoming_ordinals: 17 });
  place('ada', { 'log.jsonl': `${checkpoint}\n${entry('m')}\n`, 'receipt.json': 'r', 'anchor.json': 'a' });
  await using source = await open();
  const session = (await source.sessions()[Symbol.asyncIterator]().next()).value;
  await using read = await source.open(session);
  expect(await read?.cursor()).toEqual({
    ...initialCursor,
    presence: 'known',
    entries: 2,
    compactionBase: 17,
    hasReceipt: true,
    hasAnchor: true,
  });
  expect(Buffer.from((await read?.receipt()) ?? []).toString()).toBe('r');
  expect(Buffer.from((await read?.anchor()) ?? []).toString()).toBe('a');
});

describe('what a crash has left at the end of a log', () => {
  test.each([
    ['half a line', entry('lost').slice(0, 40)],
    ['a cut within a character', Buffer.from(entry('\u4e2d')).subarray(0, 17)],
    ['zeros', Buffer.alloc(300)],
  ])('%s is left out, and told', async (_, torn) => {
    place('ada', { 'log.jsonl': Buffer.concat([Buffer.from(`${entry('m1')}\n`), Buffer.from(torn)]) });
    const { lines, remarks } = await dump();
    expect(ids(lines)).toEqual(['m1']);
    expect(remarks).toEqual([expect.stringMatching(/ada\/log\.jsonl:2: left out/)]);
  });

  test('a whole line without its line feed is an entry', async () => {
    place('ada', { 'log.jsonl': `${entry('m1')}\n\n \r\n${entry('m2')}\r\n${entry('m3')}` });
    const { lines, remarks } = await dump();
    expect([ids(lines), remarks]).toEqual([['m1', 'm2', 'm3'], []]);
  });
});

describe('what macp-runtime could not read is refused with its place', () => {
  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'two lines glued together',
      { 'log.jsonl': `${entry('a')}\n{"mess${entry('b')}\n${entry('c')}\n` },
      /log\.jsonl:2:/,
    ],
    ['an entry that lacks a field', { 'log.jsonl': `${entry('a')}\n{"message_id":"b"}\n` }, /log\.jsonl:2:/],
    ['a snapshot that is none', { 'session.json': '{"session_id":' }, /session\.json: this snapshot/],
    ['the snapshot of another session', { 'session.json': '{"session_id":"bob"}' }, /session\.json: this snapshot/],
  ])('%s', async (_, files, message) => {
    place('ada', files);
    await expect(dump()).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(message) });
  });

  test('an id that is no text', async () => {
    mkdirSync(join(directory, 'sessions'));
    mkdirSync(Buffer.concat([Buffer.from(join(directory, 'sessions/')), Buffer.of(0xff, 0xfe)]));
    await expect(dump()).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('UTF-8') });
  });
});

test('what is no session to upstream is none: files, links, and all that lies beside', async () => {
  place('ada', { 'log.jsonl': `${entry('m')}\n`, 'session.json.tmp': '{', 'notes.txt': 'x' });
  place('.empty', {});
  writeFileSync(join(directory, 'sessions/file'), 'x');
  symlinkSync(join(directory, 'sessions/ada'), join(directory, 'sessions/link'));
  writeFileSync(join(directory, 'storage_version.json'), '{"version": 99}');
  mkdirSync(join(directory, 'other'));
  const { lines } = await dump();
  expect(lines.map((line) => JSON.parse(line).session_id)).toEqual(['.empty', 'ada']);
});

describe('the first layout', () => {
  /** What `v0.4.0` holds, as upstream wrote it before it had a directory a session. */
  function placeLegacy(): void {
    const sessions = expected('v0.4.0').map((line) => JSON.parse(line).session_id as string);
    const texts = sessions.map((session) => {
      const log = readFileSync(join(golden, 'v0.4.0/file-store/sessions', session, 'log.jsonl'), 'utf8').trimEnd();
      const snapshot = readFileSync(join(golden, 'v0.4.0/file-store/sessions', session, 'session.json'), 'utf8');
      return { session, snapshot, log: `[\n${log.split('\n').join(' ,\n  ')}]` };
    });
    const object = (of: 'snapshot' | 'log'): string =>
      `{ ${texts.map((text) => `${JSON.stringify(text.session)}: ${text[of]}`).join(',\n')} }\n`;
    writeFileSync(join(directory, 'sessions.json'), object('snapshot'));
    writeFileSync(join(directory, 'logs.json'), object('log'));
  }

  test('is read, byte for byte as it would be after its migration', async () => {
    placeLegacy();
    expect(await dump()).toEqual({ lines: expected('v0.4.0'), remarks: [] });
    expect(await examineUpstreamFiles(directory)).toBe('upstream');
  });

  test('logs alone are enough, and count before what lies in a directory, as upstream migrates them', async () => {
    writeFileSync(join(directory, 'logs.json'), `{"ada":[${entry('new')}],"bob":[]}`);
    place('ada', { 'log.jsonl': `${entry('old')}\n` });
    place('eve', { 'log.jsonl': `${entry('hers')}\n` });
    const { lines } = await dump();
    expect(lines.map((line) => JSON.parse(line).session_id)).toEqual(['ada', 'bob', 'eve']);
    expect(ids(lines)).toEqual(['new', 'hers']);
  });

  test.each(['{"ada":[', '[]', '{"a/b":[]}', '{"ada":{}}', '{"ada":[1]}'])('%s is refused', async (text) => {
    writeFileSync(join(directory, 'logs.json'), text);
    await expect(dump()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

test('what lies in a directory is told: what upstream left stays its own until all of it is adopted', async () => {
  expect(await examineUpstreamFiles(directory)).toBe('nothing');
  expect(await examineUpstreamFiles(join(directory, 'none'))).toBe('nothing');
  mkdirSync(join(directory, 'sessions'));
  expect(await examineUpstreamFiles(directory)).toBe('upstream');
  mkdirSync(join(directory, '.macp-persist/records.new'), { recursive: true });
  expect(await examineUpstreamFiles(directory)).toBe('own');
  mkdirSync(join(directory, 'sessions/ada'));
  expect(await examineUpstreamFiles(directory)).toBe('upstream');
  mkdirSync(join(directory, '.macp-persist/records'));
  expect(await examineUpstreamFiles(directory)).toBe('own');
});
