import type { NumberedType } from '../../../src/domain/command.ts';
import type { ClaimDelivery, Fault, NumberedDelivery, SkipDelivery, UnreadableDelivery } from './naive-delivery.ts';

/** Short names of the numbered command types. */
export const types = {
  create: 'macp.session.create.v1',
  append: 'macp.log.append.v1',
  save: 'macp.session.save.v1',
  replace: 'macp.log.replace.v1',
  delete: 'macp.session.delete.v1',
  receipt: 'macp.receipt.store.v1',
  anchor: 'macp.anchor.store.v1',
} as const satisfies Record<string, NumberedType>;

/** What a worker does not know: a command of such a type can be read but never applied. */
const unknownType = 'macp.session.rename.v1' as NumberedType;

export const first = '//test/first';
export const second = '//test/second';
export const third = '//test/third';

export interface CommandOptions {
  readonly session?: string;
  readonly writer?: string;
  readonly epoch?: number;
  readonly type?: NumberedType;
  /** Commands of one number, type and variation have the same bytes. */
  readonly variation?: number;
  readonly valid?: boolean;
  /** Of what is wrong with the attributes, where the data is valid. */
  readonly fault?: Fault | undefined;
}

/** Command `sequence` of a session: an append to session `s` by the first writer in epoch 1 unless told otherwise. */
export function command(sequence: number, options: CommandOptions = {}): NumberedDelivery {
  const { session = 's', writer = first, epoch = 1, variation = 0, valid = true, fault } = options;
  const { type = types.append } = options;
  const reign = { kind: 'numbered', session, writer, epoch, sequence } as const;
  if (valid) {
    return { ...reign, type, data: validData(type, session, sequence, variation), valid: fault === undefined, fault };
  }
  const invalid = invalidData(type, sequence, variation);
  return invalid === undefined
    ? { ...reign, type: unknownType, data: `{"was":"${type} ${sequence} ${variation}"}`, valid, fault: undefined }
    : { ...reign, type, data: invalid, valid, fault: undefined };
}

export function claim(epoch: number, writer: string, session = 's'): ClaimDelivery {
  return { kind: 'claim', session, writer, epoch };
}

export function skip(sequence: number, epoch: number, id: string, session = 's'): SkipDelivery {
  return { kind: 'skip', session, id, epoch, sequence };
}

export function unreadable(text: string, session: string | undefined = 's'): UnreadableDelivery {
  return { kind: 'unreadable', session, text };
}

/** A message of which not even the session can be read. */
export function homeless(text: string): UnreadableDelivery {
  return { kind: 'unreadable', session: undefined, text };
}

function validData(type: NumberedType, session: string, sequence: number, variation: number): string {
  switch (type) {
    case types.append:
      return entry(`e${sequence}-${variation}`, variation === 2 ? sequence : undefined);
    case types.replace: {
      const entries = [entry(`r${sequence}-a`, variation === 0 ? sequence : undefined), entry(`r${sequence}-b`)];
      return `[${entries.slice(0, 2 - Math.min(variation, 2)).join(',')}]`;
    }
    case types.save:
      return snapshot(session, `i${sequence}-${variation}`);
    case types.receipt:
    case types.anchor:
      return `opaque ${sequence} ${variation}`;
    default:
      return '';
  }
}

/** Data of the type that upstream would not read, or undefined where the type takes any. */
function invalidData(type: NumberedType, sequence: number, variation: number): string | undefined {
  switch (type) {
    case types.append:
      return `{"message_id":"e${sequence}-${variation}"}`;
    case types.replace:
      return `[${entry(`r${sequence}`)},{"message_id":"e${sequence}-${variation}"}]`;
    case types.save:
      return snapshot('somewhere-else', `i${sequence}-${variation}`);
    default:
      return undefined;
  }
}

function entry(messageId: string, compacted?: number): string {
  const kind = compacted === undefined ? 'Incoming' : 'Checkpoint';
  return (
    `{"message_id":"${messageId}","received_at_ms":1,"sender":"agent://a","message_type":"Vote","raw_payload":[1,2],` +
    `"entry_kind":"${kind}","session_id":"s","mode":"m","macp_version":"1.0","timestamp_unix_ms":1` +
    `${compacted === undefined ? '' : `,"compacted_incoming_ordinals":${compacted}`}}`
  );
}

function snapshot(session: string, intent: string): string {
  return (
    `{"schema_version":2,"session_id":"${session}","state":"Open","ttl_expiry":1,"ttl_ms":1,"started_at_unix_ms":0,` +
    `"resolution":null,"mode":"m","mode_state":[1],"participants":[],"seen_message_ids":[],"intent":"${intent}",` +
    '"mode_version":"1","configuration_version":"1","policy_version":"","context_id":"","extensions":{},"roots":[],' +
    '"initiator_sender":"agent://a","policy_definition":null,"suspended_at_ms":null,"accumulated_suspended_ms":0}'
  );
}
