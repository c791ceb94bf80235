import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, numberedTypes } from '../../../src/domain/command.ts';
import type { Content } from '../../../src/domain/delivery.ts';
import { commandDigest } from '../../../src/domain/digest.ts';
import { decodeMessage, encodeMessage, type Message, type MessageHeader } from '../../../src/domain/message.ts';
import { decodeBinary, encodeBinary } from '../../../src/domain/wire/binary.ts';
import { contentOf, refusalOf } from '../../../src/domain/wire/content.ts';
import { decodeEvent, encodeEvent, messageOfEvent } from '../../../src/domain/wire/structured.ts';
import { goldenFolders, goldenLines } from '../../unit/wire/golden.ts';
import { commandOf, comparable } from '../../unit/wire/messages.ts';
import { anyCommand, claimCommand, numberedCommand, skipCommand } from './arbitrary-commands.ts';

const kinds: readonly (readonly [string, fc.Arbitrary<Command>])[] = [
  ...numberedTypes.map((type) => [type, numberedCommand(type)] as const),
  ['claims', claimCommand],
  ['skips', skipCommand],
];

/** Time and trace of a numbered command are nothing to the rule: only the message keeps them. */
function asDecided(command: Command): object {
  return comparable(command.kind === 'numbered' ? { ...command, time: undefined, traceparent: undefined } : command);
}

describe('what was encoded is decoded again', () => {
  test.each(kinds)('%s', (_kind, commands) => {
    fc.assert(
      fc.property(commands, (command) => {
        for (const content of [
          decodeBinary(encodeBinary(command)),
          decodeEvent(encodeEvent(command)),
          contentOf(command),
        ]) {
          expect(comparable(commandOf(content))).toEqual(asDecided(command));
          if (content.kind === 'numbered') expect(content.digest).toBe(commandDigest(content.type, content.data));
        }
        expect(refusalOf(command)).toBeUndefined();
      }),
    );
  });

  test('also after the message was kept as bytes', () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        const message = encodeBinary(command);
        expect(comparable(decodeBinary(decodeMessage(encodeMessage(message))))).toEqual(
          comparable(decodeBinary(message)),
        );
      }),
    );
  });

  test('as one line, in both modes alike', () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        const line = encodeEvent(command);
        expect(line.includes(0x0a)).toBe(false);
        expect(JSON.parse(Buffer.from(line).toString('utf8'))).toMatchObject({
          subject: command.session,
          id: command.id,
        });
      }),
    );
  });
});

describe.each(goldenFolders)('the recorded commands of %s', (folder) => {
  test('decode without a refusal and are written again byte for byte', () => {
    const lines = goldenLines(folder);
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) {
      const command = commandOf(decodeEvent(line));
      if (!Buffer.from(encodeEvent(command)).equals(line))
        expect(Buffer.from(encodeEvent(command)).toString()).toBe(Buffer.from(line).toString());
      expect(comparable(commandOf(decodeBinary(encodeBinary(command))))).toEqual(comparable(command));
    }
  });
});

describe('whatever arrives is a content, and nothing is thrown', () => {
  /** `bytes` with a few bytes overwritten, taken out, doubled. */
  const mutated = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
    fc
      .array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'remove', 'double')), {
        minLength: 1,
        maxLength: 3,
      })
      .map((steps) => {
        let result = Buffer.from(bytes);
        for (const [where, byte, step] of steps) {
          const at = where % (result.length + 1);
          if (step === 'set') result[Math.min(at, result.length - 1)] = byte;
          else if (step === 'remove') result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1)]);
          else result = Buffer.concat([result.subarray(0, at + 1), result.subarray(at)]);
        }
        return result;
      });

  const soundContent = (content: Content, whole: Message): void => {
    expect(['numbered', 'claim', 'skip', 'unreadable']).toContain(content.kind);
    if ('refusal' in content && content.refusal !== undefined) {
      expect(content.refusal.message.length).toBeGreaterThan(10);
      expect(content.refusal.message.length).toBeLessThan(1000);
    }
    // The same again: nothing that is remembered from one message to the next may show.
    expect(comparable(decodeBinary(whole))).toEqual(comparable(content));
  };

  test('mutated lines', () => {
    const lines = goldenLines('edge').filter((line) => line.length < 2000);
    const arbitrary = fc.oneof(fc.constantFrom(...lines), anyCommand.map(encodeEvent)).chain(mutated);
    fc.assert(
      fc.property(arbitrary, (line) => soundContent(decodeEvent(line), messageOfEvent(line))),
      { numRuns: 3000 },
    );
  });

  test('mutated messages', () => {
    const mutatedMessage = anyCommand.map(encodeBinary).chain((message) =>
      fc.record({
        key: fc.oneof(
          { weight: 4, arbitrary: fc.constant(message.key) },
          { weight: 1, arbitrary: fc.constant(undefined) },
        ),
        value: fc.oneof(
          { weight: 3, arbitrary: fc.constant(message.value) },
          { weight: 1, arbitrary: mutated(message.value) },
        ),
        headers: fc
          .tuple(fc.nat(), fc.constantFrom('mutate', 'remove', 'double', 'rename', 'keep'))
          .chain(([where, step]) => mutatedHeaders(message.headers, where % message.headers.length, step)),
      }),
    );
    const mutatedHeaders = (
      headers: readonly MessageHeader[],
      at: number,
      step: string,
    ): fc.Arbitrary<readonly MessageHeader[]> => {
      const [name = '', value = new Uint8Array(0)] = headers[at] ?? [];
      switch (step) {
        case 'mutate':
          return mutated(value).map((bytes) => headers.with(at, [name, bytes]));
        case 'remove':
          return fc.constant(headers.toSpliced(at, 1));
        case 'double':
          return fc.constant([...headers, [name, value]]);
        case 'rename':
          return fc.string().map((text) => headers.with(at, [`ce_${text}`, value]));
        default:
          return fc.constant(headers);
      }
    };
    fc.assert(
      fc.property(mutatedMessage, (message) => soundContent(decodeBinary(message), message)),
      { numRuns: 3000 },
    );
  });

  test('any bytes', () => {
    const headers = fc.array(
      fc.tuple(fc.oneof(fc.string(), fc.constantFrom('ce_type', 'ce_subject', 'content-type')), fc.uint8Array()),
    );
    const messages = fc.record({
      key: fc.option(fc.uint8Array(), { nil: undefined }),
      headers,
      value: fc.uint8Array(),
    });
    fc.assert(fc.property(messages, (message) => soundContent(decodeBinary(message), message)));
    fc.assert(fc.property(fc.uint8Array(), (line) => soundContent(decodeEvent(line), messageOfEvent(line))));
  });
});

describe('publishers and workers agree', () => {
  test('a command whose types promised too much is refused before it is sent, as a worker would refuse it', () => {
    const wrong = fc.record(
      {
        session: fc.constantFrom('', '..', 'a/b', 's'),
        writer: fc.constantFrom('', 'a b', '//w'),
        epoch: fc.constantFrom(0, -1, 1.5, 2 ** 53, Number.NaN),
        sequence: fc.constantFrom(0, -1, 1.5, 2 ** 53, Number.NaN),
        id: fc.string(),
        time: fc.constantFrom('', 'now', '2026-11-24T15:04:05Z'),
        traceparent: fc.constantFrom('', '00'),
        type: fc.constantFrom('macp.log.append.v2', 'macp.session.create.v1'),
        data: fc.constantFrom(Buffer.from(''), Buffer.from('{'), Buffer.from('{"session_id":"x"}')),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyCommand, wrong, (command, changes) => {
        const sent = { ...command, ...changes } as Command;
        const content = decodeBinary(encodeBinary(sent));
        const { code } = ('refusal' in content ? content.refusal : undefined) ?? { code: undefined };
        expect(refusalOf(sent)?.code).toBe(code);
      }),
      { numRuns: 2000 },
    );
  });
});
