import { choice, type DocumentShape, documentShape, type Field, integer, type Shape } from './shape.ts';

const text: Shape = { kind: 'text', empty: 'allowed' };
const bytes: Shape = { kind: 'bytes' };
const i64: Shape = integer('a 64-bit integer', -(2n ** 63n), 2n ** 63n - 1n);
const u64: Shape = integer('an unsigned 64-bit integer', 0n, 2n ** 64n - 1n);
const u32: Shape = integer('an unsigned 32-bit integer', 0n, 2n ** 32n - 1n);
const counter: Shape = integer('a number from 1 to 2^53-1', 1n, 2n ** 53n - 1n);
const someText: Shape = { kind: 'text', empty: 'refused' };

const required = (name: string, shape: Shape): Field => ({ name, shape, required: true });
const defaulted = (name: string, shape: Shape): Field => ({ name, shape, required: false });
const optional = (name: string, of: Shape): Field => defaulted(name, { kind: 'optional', of });
const list = (of: Shape): Shape => ({ kind: 'list', of });

/** serde_json opens at most this many containers within one text. */
const serdeDepth = 127;

/** `LogEntry` of macp-storage 0.13.0, `src/log_store.rs`; 0.4.0 lacks the last four. Fields in upstream's order. */
export const logEntry: DocumentShape = documentShape(
  [
    required('message_id', text),
    required('received_at_ms', i64),
    required('sender', text),
    required('message_type', text),
    required('raw_payload', bytes),
    required('entry_kind', choice('Incoming', 'Internal', 'Checkpoint')),
    defaulted('session_id', text),
    defaulted('mode', text),
    defaulted('macp_version', text),
    defaulted('timestamp_unix_ms', i64),
    optional('bound_mode_version', text),
    defaulted('semantics_rev', u32),
    optional('bound_max_suspend_ms', i64),
    defaulted('compacted_incoming_ordinals', u64),
  ],
  ['entry_kind', 'compacted_incoming_ordinals'],
);

/** `PolicyDefinition` of macp-core 0.4.0 and 0.13.0, `src/policy/mod.rs`; it stands within a snapshot. */
const policyDefinition: DocumentShape = documentShape([
  required('policy_id', text),
  required('mode', text),
  required('description', text),
  required('rules', { kind: 'any', depth: serdeDepth - 2 }),
  required('schema_version', u32),
]);

/** `PersistedRoot` of macp-storage, `src/registry.rs`. */
const persistedRoot: DocumentShape = documentShape([required('uri', text), required('name', text)]);

/** `PersistedSession` of macp-storage 0.13.0, `src/registry.rs`; 0.4.0 lacks the last three. Fields in upstream's order. */
export const persistedSession: DocumentShape = documentShape(
  [
    defaulted('schema_version', u32),
    required('session_id', text),
    required('state', choice('Open', 'Suspended', 'Resolved', 'Expired', 'Cancelled')),
    required('ttl_expiry', i64),
    defaulted('ttl_ms', i64),
    required('started_at_unix_ms', i64),
    optional('resolution', bytes),
    required('mode', text),
    required('mode_state', bytes),
    required('participants', list(text)),
    required('seen_message_ids', list(text)),
    required('intent', text),
    required('mode_version', text),
    required('configuration_version', text),
    required('policy_version', text),
    defaulted('context_id', text),
    defaulted('extensions', { kind: 'map', of: bytes }),
    required('roots', list({ kind: 'document', of: persistedRoot })),
    required('initiator_sender', text),
    optional('policy_definition', { kind: 'document', of: policyDefinition }),
    optional('suspended_at_ms', i64),
    defaulted('accumulated_suspended_ms', i64),
    defaulted('suspension_intervals', list({ kind: 'pair', of: i64 })),
    defaulted('semantics_rev', u32),
    defaulted('max_suspend_ms', i64),
  ],
  ['session_id'],
);

/** The data of a skip (our own, design of the one rule). */
export const skipDecision: DocumentShape = documentShape(
  [required('sequence', counter), required('epoch', counter), required('by', someText), required('reason', text)],
  ['sequence', 'epoch', 'by', 'reason'],
);

const documents = [logEntry, policyDefinition, persistedRoot, persistedSession, skipDecision];

/** True for the names that members of these documents have. */
export function isFieldName(name: string): boolean {
  return documents.some(({ indexes }) => indexes.has(name));
}
