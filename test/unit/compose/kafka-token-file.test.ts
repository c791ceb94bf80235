import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { kafkaConnection } from '../../../src/compose/kafka-connection.ts';
import { loadConfiguration } from '../../../src/compose/settings.ts';
import { authenticationBy } from '../../../src/queues/kafka/connection/authentication.ts';
import type { KafkaSasl } from '../../../src/queues/kafka/connection/kafka-options.ts';

const directory = mkdtempSync(join(tmpdir(), 'macp-persist-token-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'token');

async function connected(): Promise<KafkaSasl | undefined> {
  const { values } = await loadConfiguration({
    flags: new Map([
      ['kafka-sasl-mechanism', 'oauthbearer'],
      ['kafka-sasl-token-file', file],
    ]),
    configFile: undefined,
    environment: {},
    workingDirectory: directory,
    mistakes: [],
  });
  return (await kafkaConnection({ kind: 'kafka', brokers: ['localhost:9092'], topic: 'commands' }, values)).sasl;
}

/** Presents the token to a broker; resolves with the bytes that it gets. */
async function presented(sasl: KafkaSasl | undefined): Promise<string> {
  if (sasl === undefined) throw new Error('no way to say who we are');
  const way = authenticationBy(sasl);
  if (!('authenticationProvider' in way)) throw new Error('no way of our own');
  let sent = '';
  const saslAuthenticate = async ({ request }: { request: { encode(): Buffer | Promise<Buffer> } }) => {
    sent = (await request.encode()).toString('utf8');
    return '';
  };
  const given = { saslAuthenticate } as unknown as Parameters<typeof way.authenticationProvider>[0];
  await way.authenticationProvider(given).authenticate();
  return sent;
}

test('a file of a token that is not there, or empty, is a mistake in the settings at the start', async () => {
  await expect(connected()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION', message: /ENOENT/ });
  writeFileSync(file, '\n');
  await expect(connected()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION', message: /is empty/ });
});

test('one that is being replaced later on is waited for, and never presented empty', async () => {
  writeFileSync(file, 'first\n');
  const sasl = await connected();
  expect(await presented(sasl)).toContain('Bearer first\u0001');
  writeFileSync(file, '');
  await expect(presented(sasl)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', message: /is empty/ });
  rmSync(file);
  await expect(presented(sasl)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', message: /ENOENT/ });
  writeFileSync(file, 'second\n');
  expect(await presented(sasl)).toContain('Bearer second\u0001');
});
