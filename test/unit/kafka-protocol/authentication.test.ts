import { createRequire } from 'node:module';
import type { Logger, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { authenticationBy } from '../../../src/queues/kafka/connection/authentication.ts';
import type { KafkaSasl } from '../../../src/queues/kafka/connection/kafka-options.ts';

type Step = (message: Buffer) => Promise<Buffer>;

const ignore = (): void => undefined;
const logger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  namespace: () => logger,
  setLogLevel: (_level: logLevel) => undefined,
};

interface Authenticator {
  authenticate(): Promise<void>;
}

/** Has kafkajs authenticate against a broker that answers each message with `step`. */
function authenticate(sasl: KafkaSasl, step: Step): Promise<void> {
  const require = createRequire(import.meta.url);
  const SaslAuthenticator: new (...given: unknown[]) => Authenticator = require('kafkajs/src/broker/saslAuthenticator');
  const saslHandshake = 17;
  const connection = {
    host: 'broker',
    port: 9092,
    sasl: authenticationBy(sasl),
    async send({ request }: { request: { apiKey: number; encode(): Promise<{ buffer: Buffer }> } }) {
      if (request.apiKey === saslHandshake) return { enabledMechanisms: [sasl.mechanism.toUpperCase()] };
      // Both the request and the mechanism's message stand behind a length.
      const answer = await step((await request.encode()).buffer.subarray(4));
      const length = Buffer.alloc(4);
      length.writeInt32BE(answer.length);
      return { authBytes: Buffer.concat([length, answer]) };
    },
  };
  const versions = { 17: { minVersion: 0, maxVersion: 1 }, 36: { minVersion: 0, maxVersion: 1 } };
  return new SaslAuthenticator(connection, logger, versions, true).authenticate();
}

const gone = new Error('the broker is gone');
const goesAway: Step = async () => Promise.reject(gone);
const accepts: Step = async () => Buffer.alloc(0);
const password = { username: 'user', password: 'password' };

describe('by password', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    '%s fails with what the connection failed with',
    async (mechanism) => {
      await expect(authenticate({ mechanism, ...password }, goesAway)).rejects.toBe(gone);
    },
  );

  test('PLAIN sends both and is content with nothing', async () => {
    const sent: string[] = [];
    await authenticate({ mechanism: 'plain', ...password }, async (message) => {
      sent.push(message.toString('utf8'));
      return Buffer.alloc(0);
    });
    expect(sent).toEqual(['\0user\0password']);
  });

  test('SCRAM refuses a broker that does not know the password either', async () => {
    const pretends: Step = async (message) => {
      const nonce = /r=([^,]+)/.exec(message.toString('utf8'))?.[1] ?? '';
      const first = `r=${nonce}more,s=${Buffer.from('salt').toString('base64')},i=4096`;
      return Buffer.from(message.includes('p=') ? 'v=d3Jvbmc=' : first, 'utf8');
    };
    await expect(authenticate({ mechanism: 'scram-sha-256', ...password }, pretends)).rejects.toThrow(/[Ss]ignature/);
  });
});

describe('by bearer token', () => {
  const token = async (): Promise<string> => 'a-token';

  test('is accepted by a broker that answers with nothing', async () => {
    const sent: string[] = [];
    await authenticate({ mechanism: 'oauthbearer', token }, async (message) => {
      sent.push(message.toString('utf8'));
      return Buffer.alloc(0);
    });
    expect(sent).toEqual(['n,,\u0001auth=Bearer a-token\u0001\u0001']);
  });

  test('is refused by one that answers with a reason', async () => {
    const refuses: Step = async () => Buffer.from('{"status":"invalid_token"}');
    const failure = authenticate({ mechanism: 'oauthbearer', token }, refuses);
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION', message: /invalid_token/ });
  });

  test('that cannot be had now is tried again', async () => {
    const failing = { mechanism: 'oauthbearer', token: async () => Promise.reject(new Error('no service')) } as const;
    await expect(authenticate(failing, accepts)).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: /no service/,
    });
  });

  test('fails with what the connection failed with', async () => {
    await expect(authenticate({ mechanism: 'oauthbearer', token }, goesAway)).rejects.toBe(gone);
  });
});
