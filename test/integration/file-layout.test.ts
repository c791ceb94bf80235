import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { assertCode } from '../../src/conformance/store-samples.ts';
import { compactJson } from '../../src/domain/documents/json-text.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { openFiles, persistLines, temporaryDirectory, upstreamFiles } from '../support/file-stores.ts';
import { goldenLines } from '../unit/wire/golden.ts';

function golden(path: string): string {
  return fileURLToPath(new URL(`../fixtures/golden/${path}`, import.meta.url));
}

/** The files in which macp-runtime wrote a map in another order than the one it sent (golden/README.md). */
const otherOrder: Readonly<Record<string, readonly string[]>> = {
  'v0.4.0': [
    'sessions/8c059833-8600-7e63-ae31-9ee95012be19/session.json',
    'sessions/c144eff8-6dd0-4367-bdb9-1a358254d282/session.json',
  ],
  'v0.13.0': ['sessions/ae8ff0b4-d738-444e-a0a8-9f650cd31ea0/session.json'],
};

describe.each(['v0.4.0', 'v0.13.0'] as const)('the directory that macp-runtime %s wrote', (folder) => {
  test.each([1, 7, 500, 5_000])(
    'is what persisting its commands gives, %i a commit, byte for byte',
    async (together) => {
      await using directory = await temporaryDirectory();
      const store = await openFiles(directory.path, { checkpointBytes: 50_000, openLogs: 3 });
      await persistLines(store, goldenLines(folder), together);
      await store.close();
      const expected = await upstreamFiles(golden(`${folder}/file-store`));
      const found = await upstreamFiles(directory.path);
      expect([...found.keys()]).toEqual([...expected.keys()]);
      const different = [...expected].filter(([path, text]) => found.get(path) !== text).map(([path]) => path);
      expect(different).toEqual(otherOrder[folder]);
      for (const path of different) {
        expect(JSON.parse(found.get(path) ?? '')).toEqual(JSON.parse(expected.get(path) ?? ''));
        expect(found.get(path)?.length).toBe(expected.get(path)?.length);
      }
    },
  );

  test('holds each snapshot as serde_json lays it out, and compacting gives back what was sent', async () => {
    const sent = new Map<string, string>();
    for (const line of goldenLines(folder)) {
      const text = Buffer.from(line).toString('utf8');
      const { type, subject } = JSON.parse(text);
      if (type === 'macp.session.save.v1') sent.set(subject, text.slice(text.indexOf('"data":') + 7, -1));
      if (type === 'macp.session.delete.v1') sent.delete(subject);
    }
    let same = 0;
    for (const [session, data] of sent) {
      const path = `sessions/${session}/session.json`;
      if (otherOrder[folder]?.includes(path)) continue;
      const pretty = readFileSync(golden(`${folder}/file-store/${path}`));
      expect(Buffer.from(compactJson(pretty)).toString('utf8')).toBe(data);
      same += 1;
    }
    expect(same).toBeGreaterThan(30);
  });
});

test.each([1, 3, 1_000])(
  'a stream of deletes, replaces and fresh starts, %i a commit, leaves the files that macp-storage leaves',
  async (together) => {
    await using directory = await temporaryDirectory();
    await using store = await openFiles(directory.path);
    await persistLines(store, goldenLines('edge'), together);
    await store.idle();
    const raw = readFileSync(golden('edge/raw-file-0.4.0.ndjson'), 'utf8').trimEnd().split('\n');
    const expected = raw.map((line) => JSON.parse(line)).map(({ file, dir }) => file ?? dir);
    const found = [...(await upstreamFiles(directory.path)).keys()].filter((path) => path !== 'storage_version.json');
    expect(found.sort()).toEqual(expected.sort());
  },
);

test('a new store has what macp-runtime writes, and nothing under a name that it takes for something', async () => {
  await using directory = await temporaryDirectory();
  await using _ = await openFiles(directory.path);
  expect((await readdir(directory.path)).sort()).toEqual(['.macp-persist', 'sessions', 'storage_version.json']);
  const record = readFileSync(join(directory.path, 'storage_version.json'));
  expect(record).toEqual(readFileSync(golden('v0.13.0/file-store/storage_version.json')));
});

describe('a directory that is not to be written', () => {
  test.each([
    ['sessions.json', '{}', 'NOT_SUPPORTED'],
    ['logs.json', '{}', 'NOT_SUPPORTED'],
    ['storage_version.json', '{"version": 2}', 'NOT_SUPPORTED'],
    ['storage_version.json', '{"version": 99}', 'STORE_TOO_NEW'],
    ['storage_version.json', 'three', 'STORE_CORRUPT'],
  ] as const)('with %s %s is refused with %s, and left as it is', async (name, text, code) => {
    await using directory = await temporaryDirectory();
    writeFileSync(join(directory.path, name), text);
    await assertCode(code, openFiles(directory.path));
    expect(readFileSync(join(directory.path, name), 'utf8')).toBe(text);
    expect(await readdir(directory.path)).toEqual([name]);
  });

  test.each([
    ['takes upper case for lower case', (name: string) => name.toLowerCase()],
    ['takes one way of writing a letter for the other', (name: string) => name.normalize('NFC')],
    ['forgets dots and spaces at the end of a name', (name: string) => name.replace(/[. ]+$/, '')],
    ['shortens long names', (name: string) => name.replace(/^(.{248}).*$/, '$1')],
  ])('on a file system that %s is refused, also where a store was copied there', async (_, named) => {
    await using directory = await temporaryDirectory();
    const fold = (path: string): string => join(directory.path, named(path.slice(directory.path.length + 1)));
    const files = {
      ...nodeFileSystem,
      open: (path: string, mode: 'read' | 'write' | 'create') => nodeFileSystem.open(fold(path), mode),
      status: (path: string) => nodeFileSystem.status(fold(path)),
      removeAll: (path: string) => nodeFileSystem.removeAll(fold(path)),
    };
    await assertCode('NOT_SUPPORTED', openFiles(directory.path, { files }));
    await (await openFiles(directory.path)).close();
    await assertCode('NOT_SUPPORTED', openFiles(directory.path, { files }));
  });

  test('with a directory among its sessions that is none is refused', async () => {
    await using directory = await temporaryDirectory();
    mkdirSync(join(directory.path, 'sessions', 'a\\b'), { recursive: true });
    await assertCode('STORE_CORRUPT', openFiles(directory.path));
  });

  test('because another process has it open is refused at once', async () => {
    await using directory = await temporaryDirectory();
    cpSync(golden('v0.13.0/file-store'), directory.path, { recursive: true });
    await using _ = await openFiles(directory.path);
    await assertCode('STORE_LOCKED', openFiles(directory.path));
  });
});
