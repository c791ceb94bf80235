import { deadLetterReasons } from '../domain/plan.ts';

/** Members that are always there, as an object's schema. */
function record(properties: Readonly<Record<string, object>>, description?: string): object {
  const documented = description === undefined ? {} : { description };
  return { type: 'object', ...documented, properties, required: Object.keys(properties) };
}

const text = { type: 'string' };
const flag = { type: 'boolean' };
const count = { type: 'integer', minimum: 0 };
const textOrNull = { type: ['string', 'null'] };
const countOrNull = { type: ['integer', 'null'] };
const listOf = (items: object): object => ({ type: 'array', items });
const orNull = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });

const position = record({ partition: count, offset: count }, 'Where it stood in the queue');

const blockage = record(
  { kind: { type: 'string', enum: ['halted', 'refused', 'gap'] }, sequence: count, parked_commands: count },
  'Why the session takes nothing more, and the number that is open',
);

const sessionRow = record({
  session_id: text,
  state: textOrNull,
  mode: textOrNull,
  last_sequence: count,
  log_entries: count,
  blocked: orNull(blockage),
});

const sessionPage = {
  $id: 'SessionPage',
  ...record({ sessions: listOf(sessionRow), next: { ...textOrNull, description: 'Go on with this as after' } }),
  examples: [
    {
      sessions: [{ session_id: 'hello', state: null, mode: null, last_sequence: 1, log_entries: 0, blocked: null }],
      next: null,
    },
  ],
};

const sessionSummary = {
  $id: 'SessionSummary',
  ...record({
    session_id: text,
    presence: { type: 'string', enum: ['unknown', 'known', 'deleted'] },
    epoch: count,
    writer: textOrNull,
    last_sequence: count,
    halted: flag,
    refused_sequence: countOrNull,
    log_entries: count,
    compaction_base: count,
    has_receipt: flag,
    has_anchor: flag,
    parked: record({ commands: count, bytes: count }),
    dead_letters: { type: 'object', additionalProperties: count, description: 'Counted by reason' },
    decisions: count,
    skipped: {
      ...listOf(record({ sequence: count, epoch: count, by: text, reason: text })),
      description: 'Numbers that somebody decided to pass over: the latest 100',
    },
    snapshot: orNull(record({ bytes: count, state: {}, mode: {} })),
    blocked: orNull(blockage),
    remedies: { ...listOf(text), description: 'What it takes to free a blocked session' },
  }),
};

const reign = record({ epoch: count, writer: textOrNull, first: count, last: count });

const cursor = {
  $id: 'Cursor',
  ...record({
    presence: { type: 'string', enum: ['unknown', 'known', 'deleted'] },
    epoch: count,
    writer: textOrNull,
    first_sequence: count,
    last_sequence: count,
    recent: { ...text, description: 'Digests of the latest commands, oldest first, 16 hexadecimal digits each' },
    earlier: listOf(reign),
    skipped: listOf(record({ from: count, to: count })),
    halted: flag,
    refused: flag,
    entries: count,
    generation: { ...count, description: 'How often the log was replaced or deleted' },
    compaction_base: count,
    has_receipt: flag,
    has_anchor: flag,
    parked_commands: count,
    parked_bytes: count,
    filed: count,
    version: { ...count, description: 'Rises with every change: what after_version compares with' },
  }),
};

const publishResult = {
  $id: 'PublishResult',
  ...record({
    session_id: text,
    id: { ...text, description: 'CloudEvents id of the command' },
    writer: text,
    epoch: countOrNull,
    sequence: countOrNull,
    position,
    outcome: { type: 'string', enum: ['durable', 'applied', 'dead letter'] },
    dead_letter: { ...textOrNull, description: 'Id of the dead letter that it became' },
  }),
  examples: [
    {
      session_id: 'hello',
      id: 'hello/1/1',
      writer: '//me/1',
      epoch: 1,
      sequence: 1,
      position: { partition: 3, offset: 0 },
      outcome: 'applied',
      dead_letter: null,
    },
  ],
};

const reasons = { type: 'string', enum: [...deadLetterReasons] };

const deadLetterMembers = {
  id: text,
  reason: reasons,
  detail: text,
  code: textOrNull,
  session_id: textOrNull,
  writer: textOrNull,
  epoch: countOrNull,
  sequence: countOrNull,
  position,
  state: { type: 'string', enum: ['open', 'resolved', 'kept'] },
  standing: textOrNull,
  decided: orNull(record({ by: text, reason: text })),
};

const deadLetterPage = {
  $id: 'DeadLetterPage',
  ...record({ dead_letters: listOf(record(deadLetterMembers)), next: textOrNull }),
};

const message = record({
  key_base64: textOrNull,
  headers: listOf({ type: 'array', items: text, minItems: 2, maxItems: 2 }),
  value_base64: text,
});

const deadLetter = {
  $id: 'DeadLetter',
  ...record({ ...deadLetterMembers, type: textOrNull, message, remedies: listOf(text) }),
};

const storeIdentity = { kind: text, id: text, layout_version: count };

const queueCapabilities = record({
  durable: flag,
  replayable: flag,
  positions: flag,
  fences_writers: flag,
  knows_consumed: flag,
});
const storeCapabilities = record({
  durable: flag,
  shared: flag,
  atomic_positions: flag,
  layout: { type: 'string', enum: ['own', 'upstream'] },
  backup: flag,
});

const totals = record({
  sessions: count,
  halted: count,
  refused: count,
  waiting: count,
  parked_commands: count,
  parked_bytes: count,
  dead_letters: record(Object.fromEntries(deadLetterReasons.map((reason) => [reason, count]))),
  decisions: count,
});

const partition = record({ partition: count, start: count, end: count, persisted: count });

const serviceStatus = {
  $id: 'ServiceStatus',
  ...record({
    version: text,
    mode: { type: 'string', enum: ['start', 'serve', 'worker', 'gateway', 'none'] },
    pid: countOrNull,
    started_at: textOrNull,
    ready: flag,
    unready_because: textOrNull,
    queue: orNull(record({ source: text, capabilities: queueCapabilities, partitions: listOf(partition), lag: count })),
    store: record({ ...storeIdentity, capabilities: storeCapabilities }),
    totals,
    worker: orNull(
      record({
        state: text,
        deliveries: count,
        commits: count,
        dead_letters: count,
        rate: { type: 'number', minimum: 0 },
        since_commit_ms: { type: ['number', 'null'] },
        memory_bytes: count,
      }),
    ),
    gateway: orNull(record({ address: textOrNull, state: text })),
  }),
};

const backupSummary = {
  $id: 'BackupSummary',
  ...record({ directory: text, store: record(storeIdentity), records: count, bytes: count }),
};

/** JSON Schemas of the documents that this service answers with. Further members may come with newer versions. */
export const documentSchemas: readonly object[] = [
  sessionPage,
  sessionSummary,
  cursor,
  publishResult,
  deadLetterPage,
  deadLetter,
  serviceStatus,
  backupSummary,
];
