import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { exitCodes, exitCodeTable, exitNameOf } from '../../../src/compose/exit-codes.ts';
import { type ErrorCode, errorDefinitions, PersistenceError } from '../../../src/domain/errors.ts';

test('every error code has its exit code, and only unexpected ones count as faults', () => {
  for (const code of Object.keys(errorDefinitions) as ErrorCode[]) {
    const name = exitNameOf(new PersistenceError(code, 'x'));
    expect(name === 'fault', code).toBe(code === 'UNEXPECTED');
    expect(name, code).not.toBe('done');
  }
  expect(exitNameOf(new TypeError('x'))).toBe('fault');
});

test('no two exit codes are the same', () => {
  const codes = Object.values(exitCodes).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test('docs/exit-codes.md holds the table of the code', () => {
  const unaligned = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/ ?-{3,} ?/g, '---');
  expect(unaligned(readFileSync(join(root, 'docs/exit-codes.md'), 'utf8'))).toContain(unaligned(exitCodeTable()));
});
