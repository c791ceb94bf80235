import { cpSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertCode, assertLog, bob } from '../../src/conformance/store-samples.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import type { OpenFile, SharedFileSystem } from '../../src/ports/file-system.ts';
import { openFiles, temporaryDirectory } from '../support/file-stores.ts';
import { turns } from '../support/turns.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const mebibyte = 1024 * 1024;

/** What every write to a log, and every sync of a session's file, has to pass. */
interface Gates {
  write(path: string): Promise<void>;
  sync(path: string): Promise<void>;
}

/** The file system of the machine, with gates before what is done to the files of sessions. */
function gated(gates: Partial<Gates>): SharedFileSystem {
  const behindGates = (path: string, file: OpenFile): OpenFile => ({
    read: (target, position) => file.read(target, position),
    async write(data, position) {
      await gates.write?.(path);
      return file.write(data, position);
    },
    async datasync() {
      await gates.sync?.(path);
      return file.datasync();
    },
    truncate: (length) => file.truncate(length),
    size: () => file.size(),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  });
  return {
    ...nodeFileSystem,
    open: async (path, mode) => behindGates(path, await nodeFileSystem.open(path, mode)),
    openShared: async (path, mode) => behindGates(path, await nodeFileSystem.openShared(path, mode)),
  };
}

/** A gate that holds what comes until it is opened. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** True unless the work has ended by the time that everything else had a chance to. */
function isWaiting(work: Promise<unknown>): Promise<boolean> {
  const ended = () => false;
  return Promise.race([work.then(ended, ended), turns(200).then(() => true)]);
}

const isLog = (path: string): boolean => path.endsWith('log.jsonl');

test('a commit does not wait for the files of its sessions, but whoever reads one of them does', async () => {
  await using directory = await temporaryDirectory();
  const held = gate();
  const files = gated({ write: (path) => (path.includes(ada) ? held.opened : Promise.resolve()) });
  await using store = await openFiles(directory.path, { files });
  const builder = new PlanBuilder();
  await store.commit(builder.append(bob, bytes('{"bob":1}')).build());
  await store.commit(builder.append(ada, bytes('{"ada":1}')).build());
  const read = assertLog(store, ada, [bytes('{"ada":1}')]);
  await assertLog(store, bob, [bytes('{"bob":1}')]);
  expect(await isWaiting(read)).toBe(true);
  held.open();
  await read;
});

test('commits that wait for the files are written to them with one write a log', async () => {
  await using directory = await temporaryDirectory();
  const held = gate();
  let writes = 0;
  const files = gated({
    async write(path) {
      if (!isLog(path)) return;
      writes += 1;
      await held.opened;
    },
  });
  await using store = await openFiles(directory.path, { files });
  const builder = new PlanBuilder();
  const entries = Array.from({ length: 40 }, (_, index) => bytes(`{"index":${index}}`));
  for (const entry of entries) await store.commit(builder.append(ada, entry).build());
  held.open();
  await assertLog(store, ada, entries);
  expect(writes).toBe(2);
});

test('a session that is written without a pause can be read all the same', async () => {
  await using directory = await temporaryDirectory();
  await using store = await openFiles(directory.path);
  const builder = new PlanBuilder();
  let reads = 0;
  const writing = (async () => {
    do await store.commit(builder.append(ada, bytes('{}')).replace(bob, bytes('{}')).build());
    while (reads < 50);
  })();
  for (; reads < 50; reads += 1) {
    for (const session of [ada, bob]) {
      await using view = await store.openSession(session);
      for await (const page of view?.log() ?? []) expect(page.map((entry) => entry.length)).toContain(2);
    }
  }
  await writing;
});

test('a commit waits while the files are far behind', async () => {
  await using directory = await temporaryDirectory();
  const held = gate();
  const files = gated({ write: (path) => (isLog(path) ? held.opened : Promise.resolve()) });
  await using store = await openFiles(directory.path, { files });
  const builder = new PlanBuilder();
  const large = bytes(JSON.stringify('x'.repeat(7 * mebibyte)));
  await store.commit(builder.append(ada, large).build());
  await store.commit(builder.append(ada, large).build());
  const third = store.commit(builder.append(ada, large).build());
  expect(await isWaiting(third)).toBe(true);
  held.open();
  await third;
});

test('what cannot be written to the files stops the store: the session is not shown half, and the journal keeps it', async () => {
  await using directory = await temporaryDirectory();
  const place = join(directory.path, 'store');
  const files = gated({
    async write(path) {
      if (isLog(path) && path.includes(bob)) throw Object.assign(new Error('no more'), { code: 'EIO' });
    },
  });
  const builder = new PlanBuilder();
  {
    await using store = await openFiles(place, { files });
    await store.commit(builder.append(ada, bytes('1')).build());
    await store.commit(builder.append(bob, bytes('2')).build());
    await assertCode('STORE_UNAVAILABLE', store.openSession(bob));
    await assertLog(store, ada, [bytes('1')]);
    await assertCode('STORE_IO_FAILED', store.commit(builder.append(ada, bytes('3')).build()));
    expect(store.state).toBe('failed');
  }
  await using again = await openFiles(place);
  await assertLog(again, bob, [bytes('2')]);
});

test('after a checkpoint that failed the journal keeps what that was to make durable', async () => {
  await using directory = await temporaryDirectory();
  const [place, image] = [join(directory.path, 'store'), join(directory.path, 'image')];
  const [failing, journal] = [gate(), gate()];
  let holdsJournal = false;
  let failures = 0;
  const files = gated({
    async sync(path) {
      if (holdsJournal && path.includes('/journal/')) await journal.opened;
      if (!isLog(path) || failures > 0) return;
      failures += 1;
      await failing.opened;
      throw Object.assign(new Error('lost'), { code: 'EIO' });
    },
  });
  const builder = new PlanBuilder();
  {
    await using store = await openFiles(place, { files, checkpointBytes: 1 });
    await store.commit(builder.append(ada, bytes('1')).build());
    holdsJournal = true;
    // This one is under way when the checkpoint fails, and is large enough to begin another.
    const during = store.commit(builder.append(bob, bytes('2')).build());
    failing.open();
    expect(await isWaiting(during)).toBe(true);
    journal.open();
    await during;
    await store.idle();
    cpSync(place, image, { recursive: true });
  }
  truncateSync(join(image, 'sessions', ada, 'log.jsonl'), 0);
  await using again = await openFiles(image);
  await assertLog(again, ada, [bytes('1')]);
  await assertLog(again, bob, [bytes('2')]);
});
