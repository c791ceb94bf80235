import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import type { CommandShape } from '../../../src/cli/command.ts';
import { wholeNumberProblem } from '../../../src/cli/options.ts';
import { laterTable } from '../configuration/table.ts';

const shape: CommandShape = {
  name: 'look',
  summary: 'Looks',
  positionals: [{ name: 'ID' }],
  options: [
    { name: 'as', placeholder: 'WRITER', description: '' },
    { name: 'json', placeholder: undefined, description: '' },
    { name: 'limit', placeholder: 'N', description: '', check: wholeNumberProblem },
  ],
  settings: [],
  examples: [],
};
const parse = (...words: string[]) => parseArguments(shape, laterTable, words);

describe('a command line', () => {
  test.each(['007', '1e3', '0x10', '-', 'true', 'a=b'])('keeps the argument %s as it is typed', (word) => {
    expect(parse('--json', word)).toMatchObject({ positionals: [word], mistakes: [] });
  });

  test('keeps the values of options as they are typed', () => {
    const { options, flags, mistakes } = parse('x', '--as=0012', '--data-dir', '1e3', '--limit', '007');
    expect([...options, ...flags]).toEqual([
      ['as', '0012'],
      ['limit', '007'],
      ['data-dir', '1e3'],
    ]);
    expect(mistakes).toEqual([]);
  });

  test('takes an argument that begins with a dash after --', () => {
    expect(parse('--', '--json')).toMatchObject({ positionals: ['--json'], mistakes: [] });
  });

  test.each<[readonly string[], string]>([
    [['--kafka-ssl'], 'true'],
    [['--kafka-ssl=false'], 'false'],
    [['--no-kafka-ssl'], 'false'],
  ])('%j sets a truth to %s', (words, value) => {
    const { flags, mistakes } = parse('x', ...words);
    expect([flags.get('kafka-ssl'), mistakes]).toEqual([value, []]);
  });

  test.each<[readonly string[], string]>([
    [['x', '--limt', '3'], '--limt: there is no such option; did you mean --limit?'],
    [['x', '--no-json'], '--no-json: there is no such option'],
    [['x', '--json=yes'], '--json: it takes no value'],
    [['x', '--data-dir'], '--data-dir: it needs a value'],
    [
      ['x', '--data-dir', '--json'],
      '--data-dir: it needs a value (write --data-dir=VALUE for one that begins with "-")',
    ],
    [['x', '--as', 'a', '--as', 'b'], '--as: it is given twice'],
    [['x', '--limit', '-3'], '--limit: it needs a value'],
    [['x', '--limit=-3'], '--limit: "-3" is not a whole number from 0 on'],
    [['x', '-z'], '-z: there is no such option'],
    [[], 'ID: it is missing'],
    [['x', 'y'], '"y": look takes no such argument'],
  ])('%j is told: %s', (words, expected) => {
    const { mistakes } = parse(...words);
    expect(mistakes.map(({ source, problem }) => `${source}: ${problem}`).join('\n')).toContain(expected);
    expect(mistakes).toHaveLength(1);
  });

  test('all its mistakes are told together', () => {
    expect(parse('--nonsense', '--limit=x', '--data-dir').mistakes).toHaveLength(4);
  });

  test('what follows an unknown option is not shown: it may be a secret', () => {
    expect(JSON.stringify(parse('x', '--redis-password', 'hunter2canary'))).not.toContain('hunter2canary');
  });
});
