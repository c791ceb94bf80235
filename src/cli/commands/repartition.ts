import { queueAddress } from '../../compose/open.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { printTopics } from '../print-topics.ts';

export const repartition: Command = {
  shape: {
    name: 'repartition',
    summary: 'Fill a new topic on Kafka, of another count of partitions, with all that the present one holds',
    positionals: [{ name: 'NEW_TOPIC' }],
    options: [],
    settings: ['queue', 'kafka.partitions', 'kafka.replicationFactor', 'kafka.retention'],
    examples: [
      {
        line: 'repartition macp.commands.2 --queue kafka://localhost:9092/macp.commands --kafka-partitions 32',
        meaning: 'Stop the publishers first; afterwards everybody goes on with the new topic',
      },
    ],
  },
  async run({ positionals: [to = ''], configuration: { values }, interruption, output }) {
    const address = queueAddress(values);
    if (address.kind !== 'kafka') {
      throw new PersistenceError(
        'INVALID_CONFIGURATION',
        'only topics on Kafka are repartitioned: name one with --queue kafka://HOST:PORT/TOPIC',
      );
    }
    const { repartitionKafka } = await import('../../compose/kafka.ts');
    using progress = output.progress('records', undefined);
    const report = await repartitionKafka({
      address,
      to,
      values,
      onProgress: (records) => progress.update(records),
      signal: interruption,
    });
    progress.end();
    await printTopics(report, output);
    return 'done';
  },
};
