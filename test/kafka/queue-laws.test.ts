import { describe, test } from 'vitest';
import { queueLaws } from '../../src/conformance/queue-suite.ts';
import { kafkaQueueHarness, transactionalQueueHarness } from './kafka-queue-harness.ts';

describe.each([
  ['kafka', kafkaQueueHarness],
  ['transactional kafka', transactionalQueueHarness],
])('the %s queue', (_, harness) => {
  for (const law of queueLaws(harness)) test.concurrent(law.name, law.check);
});
