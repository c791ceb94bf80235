import fc from 'fast-check';
import {
  type ClaimCommand,
  type Command,
  claimType,
  commandId,
  type NumberedCommand,
  type NumberedType,
  type SkipCommand,
  skipType,
} from '../../../src/domain/command.ts';
import {
  type Epoch,
  type Sequence,
  type SessionId,
  sessionIdProblem,
  type Writer,
} from '../../../src/domain/identifiers.ts';
import { entryText, snapshotText } from '../../support/commands.ts';

const session = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.uuid(), fc.stringMatching(/^[A-Za-z0-9_-]{22,40}$/))
  .filter((text) => sessionIdProblem(text) === undefined) as fc.Arbitrary<SessionId>;

const writer = fc
  .stringMatching(/^\/\/[a-z0-9.-]{1,20}(\/[A-Za-z0-9~!$&'()*+,;=:@%20]{0,9})?$/)
  .map((text) => text.replaceAll('%', '%20') as Writer);

const count = fc.oneof(
  fc.integer({ min: 1, max: 99 }),
  fc.maxSafeInteger().map((value) => Math.abs(value) || 1),
);

const optional = {
  time: fc.option(
    fc
      .date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    { nil: undefined },
  ),
  traceparent: fc.option(fc.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/), { nil: undefined }),
};

/** Text that JSON writes in many ways: escapes, raw U+2028, pairs of surrogates. */
const mark = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('\u2028', '\ud83d\ude00"\\\n\t\u0001'),
);

function dataOf(type: NumberedType, subject: SessionId): fc.Arbitrary<Uint8Array> {
  const text = (texts: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
    texts.map((value) => Buffer.from(value, 'utf8'));
  switch (type) {
    case 'macp.session.create.v1':
    case 'macp.session.delete.v1':
      return fc.constant(new Uint8Array(0));
    case 'macp.log.append.v1':
      return text(mark.map(entryText));
    case 'macp.session.save.v1':
      return text(mark.map((intent) => snapshotText(intent, subject)));
    case 'macp.log.replace.v1':
      return text(fc.array(mark.map(entryText), { maxLength: 3 }).map((entries) => `[${entries.join(',')}]`));
    case 'macp.receipt.store.v1':
    case 'macp.anchor.store.v1':
      return fc.uint8Array({ maxLength: 40 });
  }
}

/** Any valid numbered command of the type. */
export function numberedCommand(type: NumberedType): fc.Arbitrary<NumberedCommand> {
  return fc.record({ session, writer, epoch: count, sequence: count, ...optional }).chain((given) => {
    const epoch = given.epoch as Epoch;
    const sequence = given.sequence as Sequence;
    const id = commandId(given.session, epoch, sequence);
    return dataOf(type, given.session).map((data) => ({ ...given, kind: 'numbered', type, epoch, sequence, id, data }));
  });
}

/** Any valid claim. */
export const claimCommand: fc.Arbitrary<ClaimCommand> = fc
  .record({ session, writer, epoch: count, ...optional })
  .map((given) => {
    const epoch = given.epoch as Epoch;
    return { ...given, kind: 'claim', type: claimType, epoch, id: commandId(given.session, epoch, 'claim') };
  });

/** Any valid skip. */
export const skipCommand: fc.Arbitrary<SkipCommand> = fc
  .record({
    session,
    source: writer,
    id: fc.uuid(),
    sequence: count,
    epoch: count,
    by: mark,
    reason: mark,
    ...optional,
  })
  .filter(({ by }) => by !== '')
  .map(({ sequence, epoch, by, reason, ...given }) => {
    const decision = { sequence: sequence as Sequence, epoch: epoch as Epoch, by, reason };
    return { ...given, kind: 'skip', type: skipType, decision, data: Buffer.from(JSON.stringify(decision), 'utf8') };
  });

/** Any valid command of any type. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  numberedCommand('macp.session.create.v1'),
  numberedCommand('macp.log.append.v1'),
  numberedCommand('macp.session.save.v1'),
  numberedCommand('macp.log.replace.v1'),
  numberedCommand('macp.session.delete.v1'),
  numberedCommand('macp.receipt.store.v1'),
  numberedCommand('macp.anchor.store.v1'),
  claimCommand,
  skipCommand,
);
