import { fileURLToPath } from 'node:url';
import { fold, goldenCommands } from './command-stream.ts';
import type { SessionAnswer } from './runtime-client.ts';

/** What a macp-runtime of that release did, recorded. */
export type Recording = 'v0.4.0' | 'v0.13.0';

/** Every command of the recording, as `publish` takes them. */
export function commandsFile(recorded: Recording): string {
  return fileURLToPath(new URL(`../fixtures/golden/${recorded}/commands.ndjson`, import.meta.url));
}

interface Entry {
  readonly received_at_ms: number;
}

/** The log of every session of a recording. */
export function logsOf(recorded: Recording): Readonly<Record<string, readonly Entry[]>> {
  const sessions = fold(goldenCommands(recorded));
  return Object.fromEntries(sessions.map(({ id, log }) => [id, log.map((entry) => JSON.parse(entry) as Entry)]));
}

/** When nothing more was recorded: open sessions go on from there. */
export function endOf(recorded: Recording): number {
  const entries = Object.values(logsOf(recorded)).flat();
  return Math.max(...entries.map(({ received_at_ms }) => received_at_ms)) + 1_000;
}

/** What a runtime answers of each session of a recording, going by the recorded snapshots. */
export function answersOf(recorded: Recording): readonly SessionAnswer[] {
  return fold(goldenCommands(recorded)).map(({ id, snapshot = '' }) => {
    const { state, mode, participants, started_at_unix_ms } = JSON.parse(snapshot);
    return { session: id, state, mode, participants, startedAt: BigInt(started_at_unix_ms) };
  });
}
