import { describe, test } from 'vitest';
import { queueLaws } from '../../src/conformance/queue-suite.ts';
import { kafkaQueueHarness } from './kafka-queue-harness.ts';

describe('the kafka queue', () => {
  for (const law of queueLaws(kafkaQueueHarness)) test.concurrent(law.name, law.check);
});
