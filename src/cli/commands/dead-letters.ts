import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { type DeadLetterReason, deadLetterReasons, type FiledId } from '../../domain/plan.ts';
import type { DeadLetterPage, DeadLetterQuery, DeadLetterState } from '../../ports/service.ts';
import type { Command, CommandOption } from '../command.ts';
import { describeDeadLetter, describeDeadLetterRow } from '../dead-letter.ts';
import { onService, type ServiceContext } from '../on-service.ts';
import { textProblem } from '../options.ts';
import { describeCounts } from '../rows.ts';
import { openNumber, sequenceOption, tellDecision } from './decision.ts';
import { repair } from './repair.ts';
import { sessionOf } from './sessions.ts';

const pageSize = 1000;
const states: readonly DeadLetterState[] = ['open', 'resolved', 'kept'];

const ofSession: CommandOption = {
  name: 'session',
  placeholder: 'ID',
  description: 'Only those of this session',
};
const list = onService(
  'read',
  {
    name: 'dead-letters list',
    summary: 'What was refused and is kept, and how many there are by reason',
    positionals: [],
    options: [
      ofSession,
      {
        name: 'reason',
        placeholder: 'REASON',
        values: deadLetterReasons,
        description: `Only those with this reason: ${deadLetterReasons.join(', ')}`,
      },
      {
        name: 'state',
        placeholder: states.join('|'),
        values: states,
        description: 'Only those that hold their session up, that did and do no more, or that never did',
      },
    ],
    examples: [
      { line: 'dead-letters list --state open', meaning: 'What waits for a decision' },
      { line: "dead-letters list --reason 'stale decision' --json", meaning: 'For programs, a line each' },
    ],
  },
  async (context) => {
    const { service, output } = context;
    for await (const page of pages(context)) {
      for (const letter of page.dead_letters) {
        await (output.asJson ? output.json(letter) : output.line(describeDeadLetterRow(letter)));
      }
    }
    const { dead_letters: deadLetters } = (await service.status()).totals;
    if (output.asJson) await output.json({ totals: deadLetters });
    else await output.line(`In the whole store: ${describeCounts(deadLetters)}.`);
    return undefined;
  },
);

const show = onService(
  'read',
  {
    name: 'dead-letters show',
    summary: 'One dead letter whole: why it was refused, who decided, and what it takes to free its session',
    positionals: [{ name: 'DEAD_LETTER' }],
    options: [
      { ...ofSession, description: 'Its session, to find it without looking through all' },
      { name: 'data', placeholder: undefined, description: 'Print the value of its message only, byte for byte' },
    ],
    examples: [
      { line: 'dead-letters show 5a1c0e9f5a1c0e9f5a1c0e9f5a1c0e9f', meaning: 'By the id that `list` prints first' },
      { line: 'dead-letters show ID --data > refused.json', meaning: 'To correct it, and send it with `repair`' },
    ],
  },
  async ({ service, positionals: [id = ''], options, output }) => {
    const letter = await service.showDeadLetter(id as FiledId, sessionOption(options));
    if (options.has('data')) await output.text(Buffer.from(letter.message.value_base64, 'base64'));
    else if (output.asJson) await output.json(letter);
    else for (const line of describeDeadLetter(letter)) await output.line(line);
    return undefined;
  },
);

const skip = onService(
  'decide',
  {
    name: 'dead-letters skip',
    summary: 'Decide to pass over the open number of a blocked session for good',
    positionals: [{ name: 'SESSION' }],
    options: [
      { ...sequenceOption, required: true },
      { name: 'by', placeholder: 'NAME', required: true, description: 'Who decides', check: textProblem },
      { name: 'reason', placeholder: 'TEXT', required: true, description: 'Why', check: textProblem },
    ],
    examples: [
      {
        line: "dead-letters skip ID --sequence 7 --by 'on call' --reason 'the writer is gone for good'",
        meaning: 'What waits behind number 7 is applied then; the decision is kept with both texts',
      },
    ],
  },
  async (context) => {
    const { service, positionals, options } = context;
    const result = await service.skip({
      session: sessionOf(positionals),
      sequence: openNumber(options),
      by: options.get('by') ?? '',
      reason: options.get('reason') ?? '',
    });
    return tellDecision(context, result, `Number ${openNumber(options)} is passed over`);
  },
);

export const deadLetterCommands: readonly Command[] = [list, show, skip, repair];

async function* pages({ service, options, interruption }: ServiceContext): AsyncGenerator<DeadLetterPage> {
  const query: DeadLetterQuery = {
    limit: pageSize,
    session: sessionOption(options),
    // The options were checked against just these words.
    reason: options.get('reason') as DeadLetterReason | undefined,
    state: options.get('state') as DeadLetterState | undefined,
  };
  for (let after: string | undefined; ; ) {
    if (interruption.aborted) throw new PersistenceError('ABORTED', 'interrupted');
    const page = await service.listDeadLetters({ ...query, after });
    yield page;
    if (page.next === null) return;
    after = page.next;
  }
}

function sessionOption(options: ReadonlyMap<string, string>): SessionId | undefined {
  const session = options.get('session');
  return session === undefined ? undefined : sessionOf([session]);
}
