import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { suites } from './scripts/suites.mjs';

/** Two on two cores as well: most of the time tests wait for a process, a disk or a clock. */
const workers = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  test: {
    allowOnly: false,
    projects: suites.map(({ name, group, timeout, workers: own = workers }) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        maxWorkers: own,
        testTimeout: timeout,
        hookTimeout: timeout,
        // What is waited for comes on a busy machine as well, only later.
        expect: { poll: { timeout: 60_000 } },
        sequence: { groupOrder: group },
      },
    })),
  },
});
