import type { HostMode } from '../../compose/hosting.ts';
import { createLogger, type WorkSummary } from '../../compose/worker.ts';
import { isPersistenceError } from '../../domain/errors.ts';
import type { Command, CommandContext, CommandShape } from '../command.ts';

export const standbyOption = {
  name: 'standby',
  placeholder: undefined,
  description: 'Wait while another process has the queue or the store open, and take over when it ends',
} as const;

/** Settings that matter to whatever takes HTTP requests. */
export const httpSettings = [
  'http.host',
  'http.port',
  'http.tokens',
  'http.maximumRate',
  'http.maximumConnections',
  'http.maximumBody',
  'http.maximumBuffered',
  'service.drainDeadline',
  'service.backupDirectory',
  'log.level',
] as const;

/** Settings that matter to whatever a macp-runtime writes to. */
export const gatewaySettings = [
  'gateway.host',
  'gateway.port',
  'gateway.prefix',
  'gateway.leaseTime',
  'gateway.password',
  'gateway.tlsCertificate',
  'gateway.tlsKey',
] as const;

const shape: CommandShape = {
  name: 'start',
  summary: 'Run everything in one process: queue, worker and HTTP API, until SIGINT or SIGTERM',
  positionals: [],
  options: [standbyOption],
  settings: [
    'queue',
    'store',
    'dataDir',
    ...httpSettings,
    ...gatewaySettings,
    'service.stalledAfter',
    'embedded.maximumBacklog',
    'embedded.retentionAge',
    'embedded.retentionSize',
  ],
  examples: [
    { line: 'start', meaning: 'At http://127.0.0.1:8080, with the data in ./macp-persist-data' },
    { line: 'start --http-port 9000 --data-dir /var/lib/macp', meaning: 'Elsewhere' },
    {
      line: 'start --http-host 0.0.0.0 --http-tokens /etc/macp-persist/tokens.json',
      meaning: 'For other machines, which need a token then',
    },
    {
      line: 'start --gateway-port 6390',
      meaning: 'Also for a macp-runtime with MACP_STORAGE_BACKEND=redis and MACP_REDIS_URL=redis://127.0.0.1:6390',
    },
    { line: 'start --standby', meaning: 'A second process on the same data that takes over when the first one ends' },
  ],
};

/** Runs a host until it is interrupted, and resolves with what its worker did; undefined also when it never had a turn. */
export async function runHost(
  { configuration, options, output, interruption }: CommandContext,
  mode: HostMode,
): Promise<WorkSummary | undefined> {
  // Loaded only here: what serves HTTP doubles the time that any other command takes to start.
  const { host } = await import('../../compose/hosting.ts');
  const onListening = (url: string): void => output.remark(`Listening at ${url}; Ctrl-C stops.`);
  try {
    return await host({
      configuration,
      mode,
      standby: options.has('standby'),
      logger: createLogger(configuration.values),
      interruption,
      onListening: mode === 'worker' || mode === 'gateway' ? () => undefined : onListening,
    });
  } catch (error) {
    // Whoever stands by and is told to stop has done what was asked.
    if (options.has('standby') && interruption.aborted && isPersistenceError(error, 'ABORTED')) return undefined;
    throw error;
  }
}

export const start: Command = {
  shape,
  async run(context) {
    await runHost(context, 'start');
    return 'done';
  },
};
