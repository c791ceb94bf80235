import { expect, test } from 'vitest';
import { describeStatus } from '../../../src/cli/commands/status.ts';
import { describeDeadLetter, describeDeadLetterRow } from '../../../src/cli/dead-letter.ts';
import { describeSession, describeSessionRow } from '../../../src/cli/session-summary.ts';
import type { FiledId } from '../../../src/domain/plan.ts';
import type { DeadLetterDetail, ServiceStatus, SessionSummary } from '../../../src/ports/service.ts';

const hostile = 'bell\u0007\u202eid';
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const session: SessionSummary = {
  session_id: hostile,
  presence: 'known',
  epoch: 2,
  writer: `//w/${hostile}`,
  last_sequence: 4,
  halted: false,
  refused_sequence: 5,
  log_entries: 3,
  compaction_base: 0,
  has_receipt: false,
  has_anchor: true,
  parked: { commands: 2, bytes: 10 },
  dead_letters: { refused: 1, fenced: 0 },
  decisions: 1,
  skipped: [{ sequence: 3, epoch: 2, by: hostile, reason: hostile }],
  snapshot: { bytes: 9, state: hostile, mode: hostile },
  blocked: { kind: 'refused', sequence: 5, parked_commands: 2 },
  remedies: [`Send ${hostile} again.`, 'Or skip it.'],
};

const letter: DeadLetterDetail = {
  id: '5a1c0e9f5a1c0e9f5a1c0e9f5a1c0e9f' as FiledId,
  reason: 'refused',
  detail: `field ${hostile} is missing`,
  code: 'INVALID_DATA',
  session_id: hostile,
  writer: '//w/1',
  epoch: 2,
  sequence: 5,
  position: { partition: 1, offset: 7 },
  state: 'resolved',
  standing: 'number 5 was passed over',
  decided: { by: hostile, reason: hostile },
  type: 'macp.log.append.v1',
  message: {
    key_base64: Buffer.from(hostile).toString('base64'),
    headers: [['ce_id', hostile]],
    value_base64: Buffer.from('abc').toString('base64'),
  },
  remedies: [hostile],
};

test('nothing that is printed of a session or a dead letter reaches the terminal as a command to it', () => {
  const lines = [
    ...describeSession(session),
    describeSessionRow({ ...session, state: hostile, mode: hostile }),
    ...describeDeadLetter(letter),
    describeDeadLetterRow(letter),
  ];
  for (const line of lines) expect(line).not.toMatch(unsafe);
});

test('a blocked session is shown with every remedy, below each other', () => {
  expect(describeSession(session).slice(-9)).toEqual([
    'blocked        number 5 was refused',
    'parked         2 commands, 10 bytes',
    'dead letters   refused 1',
    'decisions      1',
    'receipt        no',
    'anchor         yes',
    'skipped        number 3, decided by "bell\\u0007\\u202eid": bell\\u0007\\u202eid',
    'to free it     Send bell\\u0007\\u202eid again.',
    '               Or skip it.',
  ]);
});

test('a dead letter is shown with who decided', () => {
  expect(describeDeadLetter({ ...letter, decided: { by: 'me', reason: 'gone' }, detail: 'no "type"' })).toEqual(
    expect.arrayContaining([
      'reason         refused (INVALID_DATA)',
      'detail         no "type"',
      'state          resolved: number 5 was passed over',
      'decided        by me: gone',
      'message        3 bytes (--data prints them)',
    ]),
  );
});

test.each([
  ['order-17', Buffer.from('order-17').toString('base64')],
  ['/w== (base64)', '/w=='],
  ['none', null],
])('the key that a dead letter came under is shown: %s', (shown, key) => {
  const message = { ...letter.message, key_base64: key };
  expect(describeDeadLetter({ ...letter, message })).toContain(`key            ${shown}`);
});

test('a delivery of which nothing can be read is shown as well', () => {
  const unreadable = {
    ...letter,
    session_id: null,
    writer: null,
    epoch: null,
    sequence: null,
    type: null,
    standing: null,
  };
  expect(describeDeadLetterRow({ ...unreadable, decided: null })).toContain('refused, resolved: no session: field');
  expect(describeDeadLetter({ ...unreadable, decided: null, remedies: [] })).toEqual(
    expect.arrayContaining(['writer         none that can be read', 'decided        nobody']),
  );
});

const status: ServiceStatus = {
  version: '1.2.3',
  mode: 'start',
  pid: 9,
  started_at: '2026-01-02T03:04:05.000Z',
  ready: false,
  unready_because: 'the store is full',
  queue: {
    source: 'embedded:x',
    capabilities: { durable: true, replayable: true, positions: true, fences_writers: true, knows_consumed: true },
    partitions: [{ partition: 0, start: 0, end: 9, persisted: 4 }],
    lag: 5,
  },
  store: {
    kind: 'level',
    id: 'y',
    layout_version: 2,
    capabilities: { durable: true, shared: false, atomic_positions: true, layout: 'own', backup: true },
  },
  totals: {
    sessions: 3,
    halted: 1,
    refused: 2,
    waiting: 1,
    parked_commands: 4,
    parked_bytes: 40,
    dead_letters: { refused: 2, fenced: 0, unclaimed: 0, conflict: 1, skipped: 0, overflow: 0, 'stale decision': 0 },
    decisions: 6,
  },
  worker: {
    state: 'waiting',
    deliveries: 100,
    commits: 7,
    dead_letters: 3,
    rate: 12.5,
    since_commit_ms: 1234,
    memory_bytes: 2 ** 26,
  },
  gateway: { address: '127.0.0.1:6390', state: 'open' },
};

test('a status tells what runs, how far and how fast it is, and what waits', () => {
  expect(describeStatus(status)).toEqual([
    'version        1.2.3',
    'runs           start, process 9, since 2026-01-02T03:04:05.000Z',
    'ready          no: the store is full',
    'queue          embedded:x, 1 partitions',
    'lag            5 commands: 5 in partition 0',
    'store          level y, layout 2',
    'worker         waiting, 12.5 commands a second',
    'persisted      100 commands in 7 commits since it started, the latest 1.2 s ago',
    'memory         64 MiB',
    'gateway        open, at 127.0.0.1:6390',
    'sessions       3',
    'blocked        1 halted, 2 with a refused number',
    'parked         4 commands, 40 bytes, of 1 sessions',
    'dead letters   refused 2, conflict 1',
    'decisions      6',
  ]);
});

test('a status names the partitions that lag the most, and no others', () => {
  const lagging = (lags: readonly number[]) => {
    const partitions = lags.map((lag, partition) => ({ partition, start: 0, end: 10, persisted: 10 - lag }));
    const lag = lags.reduce((sum, each) => sum + each, 0);
    const { queue } = status;
    return describeStatus({ ...status, queue: queue === null ? null : { ...queue, partitions, lag } })[4];
  };
  expect(lagging([0, 0])).toBe('lag            0 commands');
  expect(lagging([1, 0, 3])).toBe('lag            4 commands: 3 in partition 2, 1 in partition 0');
  expect(lagging([1, 1, 1, 1, 1, 1, 1, 2, 1, 1])).toMatch(
    /^lag +11 commands: 2 in partition 7, .*, the rest in 2 more$/,
  );
});

test('a status without a process or a queue says so', () => {
  const resting = { ...status, mode: 'none', pid: null, started_at: null, queue: null, worker: null } as const;
  expect(describeStatus(resting)).toEqual(expect.arrayContaining(['runs           nothing', 'queue          none']));
});

test('a status of a shared store does not say that nothing runs: who shares it is not known', () => {
  const capabilities = { ...status.store.capabilities, shared: true };
  const shared = { ...status, mode: 'none', store: { ...status.store, capabilities }, worker: null } as const;
  const rows = describeStatus(shared);
  expect(rows).toContain('runs           not known here: any number of workers may share the store');
  expect(rows.filter((row) => row.startsWith('ready'))).toEqual([]);
});
