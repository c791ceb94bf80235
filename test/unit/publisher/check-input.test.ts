import { describe, expect, test } from 'vitest';
import type { Writer } from '../../../src/domain/identifiers.ts';
import { splitLines } from '../../../src/domain/lines.ts';
import { encodeEvent } from '../../../src/domain/wire/structured.ts';
import { checkInput, InputRefused } from '../../../src/publisher/check-input.ts';
import { readNumbered, readUnnumbered } from '../../../src/publisher/input-event.ts';
import { append, claim, skip } from '../../support/commands.ts';

const writer = '//test/numbering' as Writer;
const asUnnumbered = (text: Uint8Array) => readUnnumbered(text, writer);
const plain = (type = 'macp.session.create.v1', more: object = {}): string =>
  JSON.stringify({ specversion: '1.0', id: 'x', source: '//a', type, subject: 's', ...more });
const lineOf = (command: Parameters<typeof encodeEvent>[0]): string => Buffer.from(encodeEvent(command)).toString();

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function refusalOf(
  lines: readonly string[],
  read: Parameters<typeof checkInput>[1],
): Promise<InputRefused | undefined> {
  try {
    await checkInput(splitLines(once(lines.join('\n'))), read);
  } catch (error) {
    if (error instanceof InputRefused) return error;
    throw error;
  }
  return undefined;
}

describe('an input', () => {
  test('of numbered events, claims and decisions can be sent as it is', async () => {
    const lines = [
      lineOf(append(1, 'a')),
      lineOf(claim(2, '//test/two')),
      lineOf(skip(3, 2, '7d444840-9dc0-11d1-b245-5ffdce74fad2')),
    ];
    expect(await refusalOf(lines, readNumbered)).toBeUndefined();
    expect(lines.map((line) => readNumbered(Buffer.from(line)))).toMatchObject([
      { command: append(1, 'a') },
      { command: claim(2, '//test/two') },
      { command: skip(3, 2, '7d444840-9dc0-11d1-b245-5ffdce74fad2') },
    ]);
  });

  test('of events without numbers can be numbered, and not sent as it is', async () => {
    expect(
      await refusalOf([plain(), plain('macp.receipt.store.v1', { data_base64: 'AAE=' })], asUnnumbered),
    ).toBeUndefined();
    expect(await refusalOf([plain()], readNumbered)).toMatchObject({ code: 'INVALID_INPUT', total: 1 });
  });

  test.each([
    ['sent as it is', readNumbered],
    ['numbered', asUnnumbered],
  ] as const)('that mixes both cannot be %s', async (_, read) => {
    const refused = await refusalOf([plain(), lineOf(append(1, 'a')), plain()], read);
    expect(refused?.code).toBe('MIXED_EVENTS');
  });

  test('is refused for every line that a worker would refuse, with number, code and reason', async () => {
    const entry = { data: { message_id: 1 } };
    const refused = await refusalOf(
      [
        plain(),
        '{',
        plain('macp.session.claim.v1'),
        plain('macp.log.append.v1', entry),
        plain('nonsense'),
        plain(undefined, { subject: 'a/b' }),
      ],
      asUnnumbered,
    );
    expect(refused?.lines.map(({ line, refusal }) => [line, refusal.code])).toEqual([
      [2, 'INVALID_EVENT'],
      [3, 'INVALID_ATTRIBUTE'],
      [4, 'INVALID_DATA'],
      [5, 'UNKNOWN_TYPE'],
      [6, 'INVALID_SESSION_ID'],
    ]);
    expect(refused?.message).toContain('line 5: UNKNOWN_TYPE: ');
  });

  test('with only one of number and epoch is neither numbered nor unnumbered', async () => {
    const half = [plain(undefined, { macpepoch: '1' }), plain(undefined, { macpsequence: '1' })];
    expect((await refusalOf(half, asUnnumbered))?.total).toBe(2);
    expect((await refusalOf(half, readNumbered))?.total).toBe(2);
  });

  test('with very many bad lines has the first 20 named and all counted', async () => {
    const refused = await refusalOf(
      Array.from({ length: 57 }, () => 'x'),
      readNumbered,
    );
    expect([refused?.lines.length, refused?.total]).toEqual([20, 57]);
    expect(refused?.message).toMatch(/and 37 more$/);
  });

  test('is refused for a line that is too long, without holding it', async () => {
    await expect(checkInput(splitLines(once('abcdef\n'), 3), readNumbered)).rejects.toThrow('DATA_TOO_LARGE');
  });
});
