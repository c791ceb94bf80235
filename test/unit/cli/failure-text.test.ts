import { expect, test } from 'vitest';
import { commands } from '../../../src/cli/commands.ts';
import { failureDocument, failureText, nextSteps } from '../../../src/compose/failure-text.ts';
import { ConfigurationError } from '../../../src/configuration/mistakes.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { InputRefused } from '../../../src/publisher/check-input.ts';

test('a lock is told once, with what to do, without what the library says about it once more', () => {
  const error = new PersistenceError('STORE_LOCKED', 'it is taken', { cause: new Error('Database failed to open') });
  expect(failureText(error)).toMatch(/^macp-persist: STORE_LOCKED: it is taken\n {2}next: .+doctor/);
  expect(failureText(error)).not.toContain('because');
  expect(failureDocument(error).error).not.toHaveProperty('because');
});

test('the cause of any other failure is told', () => {
  const error = new PersistenceError('STORE_IO_FAILED', 'it failed', { cause: new Error('no such device') });
  expect(failureText(error)).toContain('\n  because: no such device\n');
  expect(failureDocument(error).error.because).toBe('no such device');
});

test('for programs a failure has code, message, whether to retry, and the exit code', () => {
  expect(failureDocument(new PersistenceError('QUEUE_FULL', 'full')).error).toMatchObject({
    code: 'QUEUE_FULL',
    message: 'full',
    retryable: true,
    exit_code: 6,
  });
  const mistakes = [{ source: '--x', problem: 'is wrong' }];
  expect(failureDocument(new ConfigurationError(mistakes)).error).toMatchObject({ mistakes, exit_code: 2 });
  const refusal = { code: 'INVALID_DATA', message: 'no' } as const;
  expect(failureDocument(new InputRefused('INVALID_INPUT', [{ line: 4, refusal }], 1)).error).toMatchObject({
    lines: [{ line: 4, ...refusal }],
    exit_code: 3,
  });
});

test('a fault of the program shows its stack', () => {
  const fault = new RangeError('oops');
  expect(failureText(fault)).toContain('failure-text.test.ts');
  expect(failureDocument(fault).error).toMatchObject({ code: 'UNEXPECTED', exit_code: 1, stack: fault.stack });
});

test('what to do next names only commands that there are', () => {
  const names = commands.map(({ shape }) => shape.name);
  for (const step of Object.values(nextSteps)) {
    for (const [, words] of step.matchAll(/`macp-persist ([a-z -]+?)`/g)) expect(names).toContain(words);
  }
});
