import { defineConfig } from 'vitest/config';
import { suites } from './scripts/suites.mjs';

export default defineConfig({
  test: {
    allowOnly: false,
    projects: suites.map(({ name, group, timeout }) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout: timeout,
        hookTimeout: timeout,
        sequence: { groupOrder: group },
      },
    })),
  },
});
