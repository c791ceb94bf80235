import { hasPrettyForm } from '../../domain/documents/pretty-json.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Plan, Replacement, SessionChange } from '../../domain/plan.ts';
import { firstOrdinal } from '../plan-checks.ts';
import type { EffectWriter } from './effect-writer.ts';
import { ChunkWriter, chunkKey, earlierChunks, encodeChunk } from './log-index.ts';
import { encodeState, type Form, noFiles, type SessionState, stateKey } from './session-state.ts';

/** True when the change needs to know what files the session has. */
export function touchesFiles(change: SessionChange): boolean {
  const { before, after, log, snapshot, receipt, anchor } = change;
  const parts = [log, snapshot, receipt, anchor];
  return parts.some((part) => part !== undefined) || before?.presence !== after.presence;
}

/**
 * Writes what the plan does to the files of sessions, and to the records that tell of them. `stateOf` says what files a
 * session has before. Returns what each touched session has afterwards.
 */
export function writeFileEffects(
  out: EffectWriter,
  plan: Plan,
  stateOf: (session: SessionId) => SessionState | undefined,
): readonly (readonly [SessionId, SessionState | undefined])[] {
  const states: (readonly [SessionId, SessionState | undefined])[] = [];
  for (const change of plan.changes) {
    if (!touchesFiles(change)) continue;
    const state = stateOf(change.session);
    const next = writeChange(out, change, state);
    if (next === state) continue;
    states.push([change.session, next]);
    if (next === undefined) out.del(stateKey(change.session));
    else out.put(stateKey(change.session), encodeState(next));
  }
  return states;
}

function writeChange(
  out: EffectWriter,
  change: SessionChange,
  state: SessionState | undefined,
): SessionState | undefined {
  const { session, before, after } = change;
  if (after.presence !== 'known' && before?.presence === 'known' && !bringsContent(change)) {
    out.delete(session);
    out.clear(earlierChunks(session, after.generation + 1));
    return undefined;
  }
  if (after.presence !== 'known' && state === undefined && !bringsContent(change)) return undefined;
  if (before?.presence !== 'known') out.make(session);
  const { hasLog, logBytes } = writeLog(out, change, state ?? noFiles);
  const snapshot = writeSnapshot(out, change, state ?? noFiles);
  writeOpaque(out, session, 'receipt', change.receipt, before?.hasReceipt === true);
  writeOpaque(out, session, 'anchor', change.anchor, before?.hasAnchor === true);
  return { hasLog, logBytes, snapshot };
}

/** By the rule, only sessions that exist have any; a store takes whatever a plan says. */
function bringsContent({ log, snapshot, receipt, anchor }: SessionChange): boolean {
  const documents = [snapshot, receipt, anchor];
  return (log !== undefined && log.entries.length > 0) || documents.some((part) => part instanceof Uint8Array);
}

function writeLog(
  out: EffectWriter,
  { session, before, after, log }: SessionChange,
  state: SessionState,
): Pick<SessionState, 'hasLog' | 'logBytes'> {
  if (log === undefined) return state;
  const { reset, entries } = log;
  if (!reset && entries.length === 0) return state;
  const offset = reset ? 0 : state.logBytes;
  const isGone = reset && log.removed === true && entries.length === 0;
  if (isGone) {
    if (state.hasLog) out.remove(session, 'log');
  } else if (reset) out.writeLog(session, state.logBytes, entries);
  else out.append(session, offset, entries);
  if (reset) out.clear(earlierChunks(session, after.generation));
  const chunks = new ChunkWriter(firstOrdinal(before, reset), offset);
  for (const entry of entries) chunks.add(entry);
  for (const chunk of chunks.finish()) {
    out.put(chunkKey(session, after.generation, chunk.ordinal), encodeChunk(chunk));
  }
  const added = entries.reduce((sum, entry) => sum + entry.length + 1, 0);
  return { hasLog: !isGone, logBytes: offset + added };
}

function writeSnapshot(out: EffectWriter, { session, snapshot }: SessionChange, state: SessionState): Form {
  if (snapshot === undefined) return state.snapshot;
  if (snapshot === 'remove') {
    // Also where there was none: macp-runtime writes one for every session when it starts.
    out.remove(session, 'snapshot');
    return 'absent';
  }
  const form = hasPrettyForm(snapshot) ? 'pretty' : 'verbatim';
  out.writeDocument(session, 'snapshot', form, snapshot);
  return form;
}

function writeOpaque(
  out: EffectWriter,
  session: SessionId,
  file: 'receipt' | 'anchor',
  replacement: Replacement | undefined,
  isThere: boolean,
): void {
  if (replacement === undefined) return;
  if (replacement !== 'remove') out.writeDocument(session, file, 'verbatim', replacement);
  else if (isThere) out.remove(session, file);
}
