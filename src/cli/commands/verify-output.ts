import type { Difference, Examination, Finding, VerifyReport } from '../../compose/verify.ts';
import type { Output } from '../output.ts';
import { printSentence, printText } from '../safe-text.ts';

export async function printDifference(
  { session, part, item, relation, detail }: Difference,
  output: Output,
): Promise<void> {
  if (output.asJson) {
    await output.json({
      session_id: session ?? null,
      part,
      item: item ?? null,
      relation,
      detail: detail ?? null,
    });
    return;
  }
  const why = detail === undefined ? '' : ` (${printSentence(detail)})`;
  await output.line(`${relation.padEnd(14)}  ${placeOf(session, part, item)}${why}`);
}

export async function printComparison(report: VerifyReport, output: Output): Promise<void> {
  const { sessions, differentSessions, rewordedSessions, differences, first, second, unconsumed, movingSessions } =
    report;
  if (output.asJson) {
    return output.json({
      sessions,
      different_sessions: differentSessions,
      reworded_sessions: rewordedSessions,
      differences,
      unconsumed_records: unconsumed ?? null,
      moving_sessions: movingSessions,
      ...Object.fromEntries(
        Object.entries({ first, second }).map(([side, { place, sha256 }]) => [side, { place, sha256: sha256 ?? null }]),
      ),
    });
  }
  await output.line(
    differences === 0
      ? `${sessions} sessions, the same in both.`
      : `${sessions} sessions, of which ${differentSessions} differ, in ${differences} places.`,
  );
  if (rewordedSessions > 0) {
    await output.line(`${rewordedSessions} sessions say the same in other bytes: members or spaces stand otherwise.`);
  }
  if (unconsumed !== undefined && unconsumed > 0) {
    await output.line(`${unconsumed} records of the source were left out: the store had not consumed them.`);
  }
  if (movingSessions > 0) {
    await output.line(`${movingSessions} sessions were written to whenever they were looked at: verify again later.`);
  }
  for (const { place, sha256 } of [first, second]) {
    await output.line(`SHA-256 ${sha256 ?? '(written to meanwhile)'}  ${printText(place)}`);
  }
}

export async function printFinding({ kind, session, part, item, detail }: Finding, output: Output): Promise<void> {
  if (output.asJson) {
    await output.json({ finding: kind, session_id: session ?? null, part, item: item ?? null, detail });
    return;
  }
  await output.line(`${kind.padEnd(10)}  ${placeOf(session, part, item)}: ${printSentence(detail)}`);
}

export async function printExamination({ sessions, findings }: Examination, output: Output): Promise<void> {
  if (output.asJson) return output.json({ sessions, findings });
  const found = findings === 0 ? 'nothing wrong' : `${findings} findings`;
  await output.line(`${sessions} sessions examined: ${found}.`);
}

function placeOf(session: string | undefined, part: string, item: number | string | undefined): string {
  const where = session === undefined ? 'no session' : `session ${printText(session)}`;
  return part === 'session' ? where : `${where}: ${part}${item === undefined ? '' : ` ${item}`}`;
}
