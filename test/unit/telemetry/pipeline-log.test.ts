import { EventEmitter } from 'node:events';
import pino from 'pino';
import { expect, it } from 'vitest';
import { bytesDigest } from '../../../src/domain/digest.ts';
import type { SourceId } from '../../../src/domain/plan.ts';
import { emptyTally } from '../../../src/domain/rule/tally.ts';
import type { PipelineEvents } from '../../../src/ports/telemetry.ts';
import { logPipeline } from '../../../src/telemetry/pipeline-log.ts';
import { append } from '../../support/commands.ts';
import { deliveryOf } from '../../support/scripted-queue.ts';

it('tells at debug which stretches were taken, and how far they are committed', () => {
  const lines: unknown[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const pipeline = new EventEmitter<PipelineEvents>();
  logPipeline(pipeline, logger);
  const offsets = [
    [2, 7],
    [2, 8],
    [2, 11],
    [0, 4],
  ] as const;
  pipeline.emit(
    'taken',
    offsets.map(([partition, offset]) => deliveryOf(append(1, 'm'), { partition, offset })),
  );
  const to = { next: 12, digest: bytesDigest() };
  const positions = [{ source: 'test:1' as SourceId, partition: 2, from: undefined, to }];
  pipeline.emit('committed', { deliveries: 3, bytes: 1, changes: [], tally: emptyTally(), positions, milliseconds: 1 });
  expect(lines).toMatchObject([
    { msg: 'taken', deliveries: 4, offsets: { 2: [7, 11], 0: [4, 4] } },
    { msg: 'committed', deliveries: 3, next: { 2: 12 } },
  ]);
});
