import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { openInput } from '../../src/cli/input.ts';
import { exitNameOf } from '../../src/compose/exit-codes.ts';

// A program that reads the exit code was told to correct its lines.
test('no room for what comes through a pipe is no fault of the input', async () => {
  const cause = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const input = new Readable({
    read() {
      this.destroy(cause);
    },
  });
  const error: unknown = await openInput('-', input, new AbortController().signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'DISK_FULL', cause });
  expect(exitNameOf(error)).toBe('unavailable');
});
