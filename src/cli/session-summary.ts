import type { Blockage, SessionRow, SessionSummary, SkippedNumber } from '../ports/service.ts';
import { describeCounts, describeRows } from './rows.ts';
import { printSentence, printText } from './safe-text.ts';

/** The summary as lines for people. */
export function describeSession(summary: SessionSummary): readonly string[] {
  const { snapshot, parked } = summary;
  return describeRows([
    ['session', printText(summary.session_id)],
    ['presence', summary.presence],
    [
      'snapshot',
      snapshot === null
        ? 'none'
        : `${printText(String(snapshot.state))}, mode ${printText(String(snapshot.mode))}, ${snapshot.bytes} bytes`,
    ],
    ['log', `${summary.log_entries} entries, accepted messages up to ${summary.compaction_base} compacted away`],
    ['writer', summary.writer === null ? 'none yet' : `${printText(summary.writer)}, epoch ${summary.epoch}`],
    ['last sequence', String(summary.last_sequence)],
    ['blocked', summary.blocked === null ? 'no' : describeBlockage(summary.blocked)],
    ['parked', `${parked.commands} commands, ${parked.bytes} bytes`],
    ['dead letters', describeCounts(summary.dead_letters)],
    ['decisions', String(summary.decisions)],
    ['receipt', summary.has_receipt ? 'yes' : 'no'],
    ['anchor', summary.has_anchor ? 'yes' : 'no'],
    ...summary.skipped.map((skipped) => ['skipped', describeSkipped(skipped)] as const),
    ...summary.remedies.map((remedy) => ['to free it', printSentence(remedy)] as const),
  ]);
}

function describeSkipped({ sequence, by, reason }: SkippedNumber): string {
  return `number ${sequence}, decided by ${printText(by)}: ${printSentence(reason)}`;
}

/** A session of a list as a line for people. */
export function describeSessionRow(row: SessionRow): string {
  const state = row.state === null ? 'no snapshot' : `${printText(row.state)}, mode ${printText(row.mode ?? 'none')}`;
  const blocked = row.blocked === null ? '' : `; ${describeBlockage(row.blocked)}`;
  return `${printText(row.session_id)}  ${state}, last sequence ${row.last_sequence}, ${row.log_entries} entries${blocked}`;
}

function describeBlockage({ kind, sequence, parked_commands: parked }: Blockage): string {
  if (kind === 'halted') return 'halted by a conflict until a claim';
  if (kind === 'refused') return `number ${sequence} was refused`;
  return `number ${sequence} has not come, ${parked === 1 ? 'a later one waits' : `${parked} later ones wait`}`;
}
