import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/compose/open.ts';
import { restore } from '../../src/compose/restore.ts';
import { storeAt } from '../../src/compose/store-url.ts';
import type { Values } from '../../src/configuration/settings.ts';
import { PersistenceError } from '../../src/domain/errors.ts';
import { backUpUnderLoad } from '../support/backup-under-load.ts';
import { valuesWith } from '../support/default-values.ts';

describe.each(['level', 'file'] as const)('a %s store', (kind) => {
  test('is backed up under full load, restored, and goes on to what the live store holds', () => backUpUnderLoad(kind));

  test('is restored only where nothing lies, and all of it or nothing', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'macp-persist-restore-'));
    const values = (directory: string): Values => valuesWith({ store: kind, 'data-dir': join(parent, directory) });
    const attempt = (into: Values, signal = new AbortController().signal) =>
      restore({ values: into, backup: join(parent, 'backup'), signal, onProgress: () => undefined });
    try {
      await expect(attempt(values('nothing'))).rejects.toMatchObject({ code: 'NOT_STORED' });
      const live = await openStore(storeAt(kind, values('live')), values('live'));
      await live.backup(join(parent, 'backup'));
      await live.close();
      await expect(attempt(values('live'))).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      await expect(attempt(values('new'), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
      expect(await attempt(values('new'))).toMatchObject({ store: live.identity.id, sessions: 0 });
      await expect(attempt(values('new'))).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      await mkdir(join(parent, 'empty', kind), { recursive: true });
      expect(await attempt(values('empty'))).toMatchObject({ store: live.identity.id });
    } finally {
      await rm(parent, { recursive: true });
    }
  });
});

test('a backup that is damaged is not put into place', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'macp-persist-restore-'));
  try {
    const values = valuesWith({ store: 'level', 'data-dir': join(parent, 'data') });
    const backup = join(parent, 'backup');
    const live = await openStore(storeAt(`level:${parent}/live`, values), values);
    await live.backup(backup);
    await live.close();
    await writeFile(join(backup, 'CURRENT'), 'garbage\n');
    const request = { values, backup, signal: new AbortController().signal, onProgress: () => undefined };
    await expect(restore(request)).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
    expect(await readdir(join(parent, 'data'))).toEqual([]);
  } finally {
    await rm(parent, { recursive: true });
  }
});

test('where nothing can be written, restoring says so', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'macp-persist-restore-'));
  try {
    const values = valuesWith({ store: 'level', 'data-dir': join(parent, 'file') });
    const backup = join(parent, 'backup');
    const live = await openStore(storeAt(`level:${parent}/live`, values), values);
    await live.backup(backup);
    await live.close();
    await writeFile(join(parent, 'file'), 'no directory');
    const request = { values, backup, signal: new AbortController().signal, onProgress: () => undefined };
    await expect(restore(request)).rejects.toMatchObject({ message: expect.stringContaining(join(parent, 'file')) });
    await expect(restore(request)).rejects.toBeInstanceOf(PersistenceError);
  } finally {
    await rm(parent, { recursive: true });
  }
});

test('a file store is restored into a data directory that holds other things, which stay', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'macp-persist-restore-'));
  try {
    const values = valuesWith({ store: 'file', 'data-dir': join(parent, 'data') });
    const live = await openStore(storeAt('file', values), values);
    await live.backup(join(parent, 'backup'));
    await live.close();
    for (const name of ['sessions', '.macp-persist', 'storage_version.json'])
      await rm(join(parent, 'data', name), { recursive: true, force: true });
    await writeFile(join(parent, 'data', 'other'), 'kept');
    const request = {
      values,
      backup: join(parent, 'backup'),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    };
    expect(await restore(request)).toMatchObject({ store: live.identity.id });
  } finally {
    await rm(parent, { recursive: true });
  }
});

test('a store that lies in no directory is not restored', async () => {
  const request = { values: valuesWith({ store: 'redis' }), backup: 'monday', signal: new AbortController().signal };
  await expect(restore({ ...request, onProgress: () => undefined })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
});
