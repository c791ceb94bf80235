import { describe, test } from 'vitest';
import { queueLaws } from '../../src/conformance/queue-suite.ts';
import { embeddedQueueHarness } from './queue/embedded-queue-harness.ts';
import { memoryQueueHarness } from './queue/memory-queue-harness.ts';

describe.each([
  ['memory', memoryQueueHarness],
  ['embedded', embeddedQueueHarness],
])('the %s queue', (_, harness) => {
  for (const law of queueLaws(harness)) test(law.name, law.check);
});
