import { PersistenceError } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { gatewaySettings, runHost, standbyOption } from './start.ts';

const gatewayStandbyOption = {
  ...standbyOption,
  description:
    'Wait while another gateway of the prefix works, and take over when it ends or is silent for gateway.leaseTime',
} as const;

export const gateway: Command = {
  shape: {
    name: 'gateway',
    summary: 'Be the Redis of a macp-runtime: its writes become commands, until SIGINT or SIGTERM',
    positionals: [],
    options: [gatewayStandbyOption],
    settings: ['queue', 'store', 'dataDir', ...gatewaySettings, 'service.drainDeadline', 'log.level'],
    examples: [
      {
        line: 'gateway --gateway-port 6390 --queue kafka://localhost:9092/macp --store redis://localhost:6379',
        meaning:
          'Beside workers; the runtime gets MACP_STORAGE_BACKEND=redis and MACP_REDIS_URL=redis://127.0.0.1:6390',
      },
    ],
  },
  async run(context) {
    if (context.configuration.values['gateway.port'] === undefined) {
      throw new PersistenceError(
        'INVALID_CONFIGURATION',
        'a gateway needs a port: set gateway.port (0 takes a free one)',
      );
    }
    await runHost(context, 'gateway');
    return 'done';
  },
};
