import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import { type ErrorCode, errorDefinitions, isPersistenceError, PersistenceError } from '../../../src/domain/errors.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../../src/domain/identifiers.ts';
import type { FiledId } from '../../../src/domain/plan.ts';
import { connectService, type RemoteService } from '../../../src/http-client/remote-service.ts';
import { RemoteWatch } from '../../../src/http-client/remote-watch.ts';
import type { HttpServer } from '../../../src/http-server/server.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { FollowedEvent, Service } from '../../../src/ports/service.ts';
import type { Store } from '../../../src/ports/store.ts';
import { LocalService } from '../../../src/service/local-service.ts';
import { Publishing } from '../../../src/service/publishing.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, claim, create, entryText, numbered, replace, save, skip } from '../../support/commands.ts';
import { type Persisting, startPersisting } from '../../support/persisting.ts';
import { openServer } from '../http-server/open-server.ts';
import { stubService } from '../http-server/stub-service.ts';

const hostileIds = ['ü ☃ 😀', '%2e%2e', '%2F', 'a?b#c', '...', ' ', '\t\n\r', 'a;b', '"', 'cursor', 'ÿ'.repeat(127)];
const unheard = 'never-heard-of' as SessionId;
const id = (text: string): SessionId => text as SessionId;

const checkpoint = `{"message_id":"c","received_at_ms":1,"sender":"","message_type":"","raw_payload":[],"entry_kind":"Checkpoint","compacted_incoming_ordinals":5}`;
/** Every byte, none of them text. */
const opaque = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');

function history(session: string, ...steps: readonly ((reign: { session: string }) => Command)[]): readonly Command[] {
  return steps.map((step) => step({ session }));
}

const big = Array.from({ length: 3_000 }, (_, index) => append(index + 2, `m${index}`, { session: 'big' }));
const written: readonly (readonly Command[])[] = [
  ...hostileIds.map((session) =>
    history(
      session,
      (s) => create(1, s),
      (s) => append(2, 'ü\u2028', s),
      (s) => save(3, 'x', s),
    ),
  ),
  history('empty', (s) => create(1, s)),
  [create(1, { session: 'big' }), ...big, append(3_002, 'x'.repeat(1_500_000), { session: 'big' })],
  history(
    'deleted',
    (s) => create(1, s),
    (s) => append(2, 'a', s),
    (s) => numbered('macp.session.delete.v1', 3, '', s),
  ),
  history(
    'halted',
    (s) => create(1, s),
    (s) => append(2, 'a', s),
    (s) => append(2, 'b', s),
  ),
  history(
    'refused',
    (s) => create(1, s),
    (s) => numbered('macp.log.append.v1', 2, '{}', s),
    (s) => append(3, 'c', s),
  ),
  history(
    'gap',
    (s) => create(1, s),
    (s) => append(3, 'c', s),
  ),
  history(
    'skipped',
    (s) => create(1, s),
    (s) => append(3, 'c', s),
    (s) => skip(2, 1, '7b4e', s.session),
  ),
  history(
    'compacted',
    (s) => create(1, s),
    (s) => numbered('macp.log.replace.v1', 2, `[${checkpoint}]`, s),
    (s) => append(3, 'after', s),
  ),
  history(
    'replaced',
    (s) => create(1, s),
    (s) => append(2, 'old', s),
    (s) => replace(3, ['new'], s),
  ),
  [
    create(1, { session: 'claimed' }),
    claim(4, '//test/two', 'claimed'),
    append(2, 'a', { session: 'claimed', writer: '//test/two', epoch: 4 }),
  ],
  history(
    'documents',
    (s) => create(1, s),
    (s) => numbered('macp.receipt.store.v1', 2, opaque, s),
    (s) => numbered('macp.anchor.store.v1', 3, opaque, s),
  ),
];
const everySession = [...written.map(([first]) => first?.session ?? unheard), unheard];

/** What the parts of the service that decide and publish say, in place of a queue. */
const scripted = stubService({
  publish: async ({ events, until, timeout }) => {
    if (events.length === 0) throw new PersistenceError('INVALID_INPUT', 'there is nothing to publish');
    return events.map((event, index) => ({
      session_id: Buffer.from(event).toString('base64'),
      id: `${until}/${timeout}/${index}`,
      writer: '//w',
      epoch: null,
      sequence: 7,
      position: { partition: 1, offset: index },
      outcome: Buffer.from(event).includes('dead') ? 'dead letter' : until,
      dead_letter: null,
    }));
  },
  listDeadLetters: async ({ session, reason, state, after, limit }) => ({
    dead_letters: [],
    next: JSON.stringify([session, reason, state, after, limit]),
  }),
  showDeadLetter: async (filed, session) => {
    throw new PersistenceError('NOT_STORED', `there is no dead letter ${filed} of ${session}`);
  },
  skip: async ({ session, sequence, by, reason }) => resultOf(session, `${by} ${reason}`, sequence),
  repair: async ({ session, sequence, type, data }) =>
    resultOf(session, `${type} ${Buffer.from(data).toString('base64')}`, sequence),
});

const resultOf = (session: SessionId, id: string, sequence: number) =>
  ({
    session_id: session,
    id,
    writer: '//w',
    epoch: 1,
    sequence,
    position: { partition: 0, offset: 1 },
    outcome: 'applied',
    dead_letter: null,
  }) as const;

let store: Store;
let persisting: Persisting;
let local: LocalService;
let server: HttpServer;
let remote: RemoteService;

beforeAll(async () => {
  store = createMemoryStore();
  persisting = startPersisting(store);
  for (const commands of written) persisting.add(...commands);
  await persisting.persisted();
  local = new LocalService({
    cachedLogBytes: 1024 * 1024,
    store,
    watch: persisting.watch,
    clock: systemClock,
    publishing: scripted,
    operators: scripted,
    status: async () => {
      throw new PersistenceError('QUEUE_UNAVAILABLE', 'no queue here');
    },
    backupDirectory: '/nowhere',
    release: async () => undefined,
  });
  server = await openServer({ service: local, areFiled: (keys) => store.areFiled(keys) });
  remote = connectService({ url: server.url });
});

afterAll(async () => {
  await remote.close();
  await server.close();
  await persisting[Symbol.asyncDispose]();
  await store.close();
});

/** What was answered, or the error, in a form that compares. */
async function answerOf<Value>(ask: () => Promise<Value>): Promise<unknown> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (!isPersistenceError(error)) throw error;
    const { code, retryable, message } = error;
    return { error: { code, retryable, message } };
  }
}

async function collect<Item>(pages: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Asks both, expects the same, and gives back what it was. */
async function same(ask: (service: Service) => Promise<unknown>): Promise<unknown> {
  const [here, there] = await Promise.all([answerOf(() => ask(local)), answerOf(() => ask(remote))]);
  expect(there).toEqual(here);
  return here;
}

describe('over HTTP a service answers as it does itself', () => {
  test.each(everySession)('of the session %j: everything', async (session) => {
    await same((service) => service.showSession(session));
    await same((service) => service.cursor(session));
    for (const document of ['snapshot', 'receipt', 'anchor'] as const) {
      await same(async (service) => text(await service[document](session)));
    }
    const log = await same(async (service) => (await collect(service.log(session, {}))).map(text));
    const incoming = await same(async (service) =>
      (await collect(service.incoming(session, 0))).map(({ ordinal, entry }) => [ordinal, text(entry)]),
    );
    const length = session === 'big' ? 3_001 : undefined;
    if (length !== undefined) expect([log, incoming]).toMatchObject([{ value: { length } }, { value: { length } }]);
    if (session === unheard) expect(log).toMatchObject({ error: { code: 'SESSION_NOT_FOUND' } });
  });

  test.each([
    {},
    { from: 0, to: 0 },
    { from: 2_999 },
    { from: 3_001 },
    { from: 4_000, to: 5_000 },
    { to: 10 },
    { from: 5, to: 3 },
    { limit: 0 },
    { limit: 1 },
    { from: 1_000, to: 2_000, limit: 10_000 },
  ])('of a big log: the range %j', async (range) => {
    await same(async (service) => (await collect(service.log(id('big'), range))).map(text));
  });

  test.each([0, 4, 5, 6, 1_000])('of accepted messages above %i, of a compacted log too', async (after) => {
    for (const session of ['compacted', 'big', 'empty']) {
      await same(async (service) =>
        (await collect(service.incoming(id(session), after))).map(({ ordinal, entry }) => [ordinal, text(entry)]),
      );
    }
  });

  test('of all sessions, whatever is asked for', async () => {
    const queries = [
      {},
      { state: 'Open' },
      { state: 'other' },
      { mode: 'ext.multi_round.v1' },
      { blocked: true },
      { blocked: false },
    ];
    for (const query of queries) {
      for (const limit of [1, 3, 5_000]) {
        const all = await same(async (service) => {
          const rows: unknown[] = [];
          for (let after: SessionId | undefined; ; ) {
            const page = await service.listSessions({ ...query, after, limit });
            rows.push(...page.sessions);
            if (page.next === null) return rows;
            after = id(page.next);
          }
        });
        expect(all).toHaveProperty('value');
      }
    }
  });

  test('of the dump', async () => {
    const dump = await same(async (service) => {
      const parts: string[] = [];
      for await (const part of service.dump()) parts.push(part);
      return parts.join('');
    });
    expect((dump as { value: string }).value.split('\n').length).toBeGreaterThan(hostileIds.length);
  });

  test('of what it publishes: bytes, order and outcomes', async () => {
    const events = ['{"a": 0.0}', ' {"b":"ü\u2028"}', 'no JSON', '{"dead":1}'].map((event) => Buffer.from(event));
    for (const until of ['durable', 'applied'] as const) {
      for (const each of events) await same((service) => service.publish({ events: [each], until, timeout: 5 }));
      const valid = events.filter((event) => event.includes('{'));
      const trimmed = valid.map((event) => Buffer.from(event.toString().trim()));
      await same((service) => service.publish({ events: trimmed, until, timeout: 5 }));
    }
    expect(await same((service) => service.publish({ events: [], until: 'durable', timeout: 0 }))).toHaveProperty(
      'error',
    );
  });

  test('of dead letters and decisions', async () => {
    const session = id('ü ☃ 😀');
    await same((service) =>
      service.listDeadLetters({ session, reason: 'stale decision', state: 'kept', after: 'é/%', limit: 10 }),
    );
    await same((service) => service.listDeadLetters({ limit: 1 }));
    await same((service) => service.showDeadLetter('a/b?%2e' as FiledId, session));
    await same((service) => service.showDeadLetter('0123' as FiledId, undefined));
    await same((service) => service.skip({ session, sequence: 3 as Sequence, by: 'Ü', reason: '"\n' }));
    for (const data of [Buffer.alloc(0), Buffer.from(opaque, 'latin1'), Buffer.from(entryText('x'))]) {
      const type = 'macp.log.append.v1';
      await same((service) => service.repair({ session, sequence: 3 as Sequence, type, data }));
    }
  });

  test('of status and backup, where they fail', async () => {
    expect(await same((service) => service.status())).toMatchObject({ error: { code: 'QUEUE_UNAVAILABLE' } });
    await same((service) => service.backup('monday'));
  });
});

describe('what cannot be sent', () => {
  const event = (members: object): string =>
    JSON.stringify({
      specversion: '1.0',
      id: 'a',
      source: '//me',
      type: 'macp.session.create.v1',
      subject: 's',
      ...members,
    });
  const numbers = { id: 's/1/1', macpsequence: '1', macpepoch: '1' };
  const requests: Readonly<Record<string, readonly string[]>> = {
    'no object': ['[]'],
    'no JSON': ['{'],
    'no JSON among others': [event({}), '},{', event({ type: 'odd' })],
    'an unknown type': [event({ type: 'macp.other.v1' })],
    'a hostile session': [event({ subject: '..' }), event({})],
    'data that is no document': [event({ ...numbers, type: 'macp.log.append.v1', data: {} })],
    'numbered and unnumbered ones': [event(numbers), event({})],
    'several mistakes': [event({ specversion: '2.0' }), event({ subject: 'a/b' })],
  };

  test.each(Object.keys(requests))('%s: the same code for the same events, and nothing is sent', async (name) => {
    const unsent = (): never => expect.fail('nothing may be sent');
    const queue = { publish: unsent, whenWritable: unsent };
    const watch = persisting.watch;
    await using publishing = new Publishing({ queue, watch, clock: systemClock, writer: '//test/service' as Writer });
    await using other = await openServer({
      service: stubService({ publish: (request) => publishing.publish(request) }),
    });
    await using client = connectService({ url: other.url });
    const events = (requests[name] ?? []).map((text) => Buffer.from(text));
    const refusalOf = async (service: Pick<Service, 'publish'>) => {
      const error: unknown = await service.publish({ events, until: 'applied', timeout: 0 }).catch((thrown) => thrown);
      const { code, errors, members } = error as { code: unknown; errors?: unknown; members?: { errors?: unknown } };
      const listed = (errors ?? members?.errors ?? []) as readonly { index: number; code: string }[];
      return { code, events: listed.map(({ index, code }) => [index, code]) };
    };
    const refusal = await refusalOf(publishing);
    expect(refusal.events).not.toEqual([]);
    expect(await refusalOf(client)).toEqual(refusal);
  });
});

describe('waiting over HTTP', () => {
  const session = id('claimed');
  const held = { sequence: 2 as Sequence, claim: { epoch: 4 as Epoch, writer: '//test/two' as Writer }, version: 2 };

  test('what holds is answered at once, by every read', async () => {
    const waiting = { ...held, timeout: 60_000 };
    await same((service) => service.cursor(session, waiting));
    await same(async (service) => (await collect(service.log(session, {}, waiting))).map(text));
    await same(async (service) => (await collect(service.incoming(session, 0, waiting))).length);
    await same(async (service) =>
      text(await service.receipt(id('documents'), { sequence: 3 as Sequence, timeout: 60_000 })),
    );
  });

  test('what does not come in time is NOT_YET_APPLIED, and a claim that another one overtook WRITER_FENCED', async () => {
    const late = { sequence: 99 as Sequence, timeout: 1 };
    const lost = { claim: { epoch: 3 as Epoch, writer: '//test/three' as Writer }, timeout: 60_000 };
    for (const [waiting, code] of [
      [late, 'NOT_YET_APPLIED'],
      [lost, 'WRITER_FENCED'],
    ] as const) {
      const error = { error: { code } };
      expect(await same((service) => service.cursor(session, waiting))).toMatchObject(error);
      expect(await same((service) => service.snapshot(session, waiting))).toMatchObject(error);
      expect(await same((service) => collect(service.log(session, {}, waiting)))).toMatchObject(error);
      expect(await same((service) => collect(service.incoming(session, 0, waiting)))).toMatchObject(error);
    }
  });

  test('a read that waits is answered as soon as what it waits for is applied', async () => {
    const fresh = id('waited-for');
    const waiting = { sequence: 2 as Sequence, timeout: 60_000 };
    const read = remote.log(fresh, {}, waiting)[Symbol.asyncIterator]().next();
    persisting.add(create(1, { session: fresh }), append(2, 'here', { session: fresh }));
    expect((await read).value?.map(text)).toEqual([entryText('here')]);
  });

  test('a remote watch sees what a watch of the store sees', async () => {
    const watch = new RemoteWatch(remote);
    expect(await watch.cursors(everySession)).toEqual(await persisting.watch.cursors(everySession));
    const fresh = id('watched');
    const changed = watch.changed(fresh, 0);
    persisting.add(create(1, { session: fresh }));
    expect(await changed).toEqual((await persisting.watch.cursors([fresh]))[0]);
    const keys = (await store.readFiled(undefined, { limit: 100 })).map(({ session, id: filed }) => ({
      session,
      id: filed,
    }));
    const asked = [...keys, { session: undefined, id: 'f'.repeat(32) as FiledId }];
    expect(keys.length).toBeGreaterThan(2);
    expect(await watch.areFiled(asked)).toEqual(await store.areFiled(asked));
  });
});

describe('following over HTTP', () => {
  async function take(events: AsyncIterable<FollowedEvent>, count: number): Promise<readonly unknown[]> {
    const taken: unknown[] = [];
    for await (const event of events) {
      taken.push(event.kind === 'entry' ? { ...event, entry: text(event.entry) } : event);
      if (taken.length === count) break;
    }
    return taken;
  }
  const { signal } = new AbortController();

  test.each([
    { session: 'big', from: { ordinal: 0 }, count: 3_001 },
    { session: 'big', from: { ordinal: 3_000 }, count: 1 },
    { session: 'replaced', from: { ordinal: 0 }, count: 1 },
    { session: 'replaced', from: { generation: 0, ordinal: 0 }, count: 2 },
    { session: 'replaced', from: { generation: 0, ordinal: 7 }, count: 2 },
    { session: 'replaced', from: { generation: 1, ordinal: 0 }, count: 1 },
  ])('$session from $from: the same events', async ({ session, from, count }) => {
    const events = await same((service) => take(service.follow(id(session), from, signal), count));
    expect((events as { value: readonly unknown[] }).value).toHaveLength(count);
  });

  test('a session that nobody has heard of cannot be followed', async () => {
    const events = await same((service) => take(service.follow(unheard, { ordinal: 0 }, signal), 1));
    expect(events).toMatchObject({ error: { code: 'SESSION_NOT_FOUND' } });
  });

  test('entries to come are told, and replacements; the end comes with the signal', async () => {
    const followed = id('followed');
    const reign = { session: followed };
    persisting.add(create(1, reign));
    await persisting.persisted();
    const ending = new AbortController();
    const events = remote.follow(followed, { ordinal: 0 }, ending.signal)[Symbol.asyncIterator]();
    const next = async () => (await events.next()).value;
    const first = next();
    persisting.add(append(2, 'one', reign));
    expect(await first).toMatchObject({ kind: 'entry', generation: 0, ordinal: 0 });
    persisting.add(replace(3, ['two'], reign));
    expect(await next()).toEqual({ kind: 'reset', generation: 1 });
    expect(await next()).toMatchObject({ kind: 'entry', generation: 1, ordinal: 0 });
    const last = events.next();
    ending.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });
});

test('every error keeps its code, its message and whether it may be tried again', async () => {
  const codes = (Object.keys(errorDefinitions) as ErrorCode[]).filter((code) => code !== 'UNEXPECTED');
  let thrown: ErrorCode = 'ABORTED';
  const failing = stubService({
    showSession: async () => {
      throw new PersistenceError(thrown, `told of ${thrown}`);
    },
  });
  await using other = await openServer({ service: failing });
  const service = connectService({ url: other.url });
  for (const code of codes) {
    thrown = code;
    const { retryable } = errorDefinitions[code];
    const error = await service.showSession(unheard).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, retryable, message: `told of ${code}` });
  }
  await service.close();
});
