/**
 * @typedef {{ received_at_ms: number, sender: string, message_type: string }} LogEntry
 * @typedef {{ state: string, mode: string, participants: string[] }} Snapshot
 * @typedef {{ session_id: string, session: Snapshot | null, log: LogEntry[] }} DumpedSession
 */

const mostEntries = 12;

/**
 * A line of a dump in readable form.
 *
 * @param {string} line
 */
export function describeSession(line) {
  /** @type {DumpedSession} */
  const { session_id: id, session, log } = JSON.parse(line);
  const entries = log.slice(0, mostEntries).map((entry, ordinal) => {
    const time = new Date(entry.received_at_ms).toISOString().slice(11, 23);
    return `      ${String(ordinal).padStart(2)}  ${time}  ${entry.message_type.padEnd(16)} ${entry.sender}`;
  });
  if (log.length > mostEntries) entries.push(`      … ${log.length - mostEntries} more`);
  return [
    `   session ${id}`,
    `      ${session?.state}, ${session?.mode}, participants ${session?.participants.join(', ')}`,
    ...entries,
  ].join('\n');
}

/**
 * True for a session that has something to tell: a snapshot, and a log that is neither compacted nor endless.
 *
 * @param {string} line
 */
export function isTelling(line) {
  /** @type {DumpedSession} */
  const { session, log } = JSON.parse(line);
  return session !== null && log.length > 5 && log.length <= mostEntries;
}
