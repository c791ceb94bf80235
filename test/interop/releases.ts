/** The releases of macp-storage that everything is tried against: the reference, and the newest. */
export const releases = ['0.4.0', '0.13.0'] as const;

export type Release = (typeof releases)[number];

/** The fields of upstream's two documents, as a release declares them: what reading one that lacks it makes of it. */
export type Fields = ReadonlyMap<string, Default>;

/** The JSON text that a missing field is read as. */
export type Default = string | 'required' | 'computed';

const firstEntryFields: readonly (readonly [string, Default])[] = [
  ['message_id', 'required'],
  ['received_at_ms', 'required'],
  ['sender', 'required'],
  ['message_type', 'required'],
  ['raw_payload', 'required'],
  ['entry_kind', 'required'],
  ['session_id', '""'],
  ['mode', '""'],
  ['macp_version', '""'],
  ['timestamp_unix_ms', '0'],
];

const laterEntryFields: readonly (readonly [string, Default])[] = [
  ['bound_mode_version', 'null'],
  ['semantics_rev', '0'],
  ['bound_max_suspend_ms', 'null'],
  ['compacted_incoming_ordinals', '0'],
];

const firstSnapshotFields: readonly (readonly [string, Default])[] = [
  ['schema_version', 'computed'],
  ['session_id', 'required'],
  ['state', 'required'],
  ['ttl_expiry', 'required'],
  ['ttl_ms', 'computed'],
  ['started_at_unix_ms', 'required'],
  ['resolution', 'null'],
  ['mode', 'required'],
  ['mode_state', 'required'],
  ['participants', 'required'],
  ['seen_message_ids', 'required'],
  ['intent', 'required'],
  ['mode_version', 'required'],
  ['configuration_version', 'required'],
  ['policy_version', 'required'],
  ['context_id', '""'],
  ['extensions', '{}'],
  ['roots', 'required'],
  ['initiator_sender', 'required'],
  ['policy_definition', 'null'],
  ['suspended_at_ms', 'null'],
  ['accumulated_suspended_ms', '0'],
];

const laterSnapshotFields: readonly (readonly [string, Default])[] = [
  ['suspension_intervals', '[]'],
  ['semantics_rev', '0'],
  ['max_suspend_ms', '0'],
];

export const entryFields: Readonly<Record<Release, Fields>> = {
  '0.4.0': new Map(firstEntryFields),
  '0.13.0': new Map([...firstEntryFields, ...laterEntryFields]),
};

export const snapshotFields: Readonly<Record<Release, Fields>> = {
  '0.4.0': new Map(firstSnapshotFields),
  '0.13.0': new Map([...firstSnapshotFields, ...laterSnapshotFields]),
};

/** Receipts and trace anchors came with 0.11. */
export function knowsReceipts(release: Release): boolean {
  return release === '0.13.0';
}
