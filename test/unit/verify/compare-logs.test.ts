import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../bench/support/random.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { compareLogs } from '../../../src/verify/compare-logs.ts';

type Told = readonly [what: string, item: number | string | undefined, detail?: string];

/** A log of entries that say these letters, in pages of `size`. */
async function* log(letters: string, size = 3): AsyncGenerator<readonly Uint8Array[]> {
  const entries = Array.from(letters, (letter) => Buffer.from(`{"say":"${letter}"}`));
  for (let at = 0; at < entries.length; at += size) yield entries.slice(at, at + size);
}

async function compared(one: AsyncIterable<readonly Uint8Array[]>, other: AsyncIterable<readonly Uint8Array[]>) {
  const told: Told[] = [];
  for await (const { relation, item, detail } of compareLogs(one, other)) {
    told.push(detail === undefined ? [relation, item] : [relation, item, detail]);
  }
  return told;
}

describe('two logs', () => {
  test.each<[string, string, readonly Told[]]>([
    ['abcdef', 'abcdef', []],
    ['', '', []],
    ['abcdef', 'abXdef', [['changed', 2]]],
    ['abcdef', 'abdef', [['only in first', 2]]],
    ['abdef', 'abcdef', [['only in second', 2]]],
    [
      'abc',
      'abcdef',
      [
        ['only in second', 3],
        ['only in second', 4],
        ['only in second', 5],
      ],
    ],
    ['abcdef', 'abdcef', [['swapped', 2, 'with entry 3']]],
    ['abcdef', 'aecdbf', [['swapped', 1, 'with entry 4']]],
    ['abcdef', 'bcdef', [['only in first', 0]]],
    ['aabb', 'aab', [['only in first', 3]]],
    [
      'abcdef',
      'XbcdefY',
      [
        ['changed', 0],
        ['only in second', 6],
      ],
    ],
  ])('%s and %s differ where a person would say so', async (one, other, told) => {
    expect(await compared(log(one), log(other))).toEqual(told);
    expect(await compared(log(one, 1), log(other, 100))).toEqual(told);
  });

  test('say the same where only members stand otherwise', async () => {
    const first = [[Buffer.from('{"a":1,"b":{"c":2,"d":3}}')]];
    const second = [[Buffer.from('{"b":{"d":3,"c":2},"a":1}')]];
    expect(await compared(pages(first), pages(second))).toEqual([]);
    expect(await compared(pages(first), pages([[Buffer.from('{"a":1.0,"b":{"c":2,"d":3}}')]]))).toHaveLength(1);
    expect(await compared(pages(first), pages([[Buffer.from('no JSON')]]))).toHaveLength(1);
  });

  test('never count as the same after a random edit, nor as different without one', async () => {
    const random = seededRandom(5);
    for (let round = 0; round < 200; round += 1) {
      const letters = Array.from({ length: 40 }, () => String.fromCharCode(97 + Math.floor(random() * 3)));
      const edited = [...letters];
      const at = Math.floor(random() * edited.length);
      edited.splice(at, Math.floor(random() * 2), ...(random() < 0.5 ? ['Z'] : []));
      const differences = await compared(log(letters.join('')), log(edited.join('')));
      expect(differences.length > 0).toBe(letters.join('') !== edited.join(''));
    }
  });

  test('end where one of them is damaged, and that is told', async () => {
    async function* damaged(): AsyncGenerator<readonly Uint8Array[]> {
      yield* log('abc');
      throw new PersistenceError('STORE_CORRUPT', 'the log lacks 1 entries');
    }
    expect(await compared(damaged(), log('abcd'))).toEqual([
      ['unreadable', 3, 'in the first store: the log lacks 1 entries'],
    ]);
  });
});

async function* pages(of: readonly (readonly Uint8Array[])[]): AsyncGenerator<readonly Uint8Array[]> {
  yield* of;
}
