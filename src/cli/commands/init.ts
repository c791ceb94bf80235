import { queueAddress } from '../../compose/open.ts';
import { showAddress } from '../../configuration/addresses.ts';
import type { Command } from '../command.ts';
import { printTopics } from '../print-topics.ts';

export const init: Command = {
  shape: {
    name: 'init',
    summary: 'Make the topics of a queue on Kafka, or check those that are there',
    positionals: [],
    options: [
      {
        name: 'repair',
        placeholder: undefined,
        description: 'Change settings of topics that are there where they would lose commands',
      },
    ],
    settings: [
      'queue',
      'kafka.partitions',
      'kafka.replicationFactor',
      'kafka.minimumInSyncReplicas',
      'kafka.retention',
      'kafka.copyDeadLetters',
      'kafka.deadLetterTopic',
    ],
    examples: [
      { line: 'init --queue kafka://localhost:9092/macp.commands', meaning: 'Before the first worker and publisher' },
      {
        line: 'init --queue kafka://localhost:9092/macp.commands --kafka-partitions 32 --kafka-retention 30d',
        meaning: 'The number of partitions stays as it is made',
      },
    ],
  },
  async run({ configuration: { values }, options, output }) {
    const address = queueAddress(values);
    if (address.kind !== 'kafka') {
      if (output.asJson) await output.json({ did: [], findings: [] });
      else await output.line(`Nothing to do: ${showAddress(address)} is made by whoever uses it first.`);
      return 'done';
    }
    const { initKafka } = await import('../../compose/kafka.ts');
    await printTopics(await initKafka(address, values, options.has('repair')), output);
    return 'done';
  },
};
