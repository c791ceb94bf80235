import type { QueueAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { KafkaConnectionOptions, KafkaSasl, KafkaTls } from '../queues/kafka/connection/kafka-options.ts';
import { readNamedFile } from './named-file.ts';
import { type NamedFile, readCertificates, readIdentity } from './pem-files.ts';

export type KafkaAddress = Extract<QueueAddress, { readonly kind: 'kafka' }>;

/** How to reach the brokers, and as whom. Throws `INVALID_CONFIGURATION` for settings that do not go together. */
export async function kafkaConnection({ brokers }: KafkaAddress, values: Values): Promise<KafkaConnectionOptions> {
  return {
    brokers,
    clientId: values['kafka.clientId'],
    connectionTimeout: values['kafka.connectionTimeout'],
    requestTimeout: values['kafka.requestTimeout'],
    tls: await tlsOf(values),
    sasl: await saslOf(values),
  };
}

async function tlsOf(values: Values): Promise<KafkaTls | undefined> {
  const names = ['kafka.tlsCa', 'kafka.tlsCertificate', 'kafka.tlsKey'] as const;
  const given = names.find((name) => values[name] !== undefined);
  if (!values['kafka.tls']) {
    if (given !== undefined) throw mismatch(`${given} says nothing without kafka.tls`);
    return undefined;
  }
  const fileOf = (setting: (typeof names)[number]): NamedFile => ({ setting, path: values[setting] });
  const ca = await readCertificates(fileOf('kafka.tlsCa'));
  return { ca, ...(await readIdentity(fileOf('kafka.tlsCertificate'), fileOf('kafka.tlsKey'))) };
}

async function saslOf(values: Values): Promise<KafkaSasl | undefined> {
  const mechanism = values['kafka.saslMechanism'];
  const username = values['kafka.saslUsername'];
  const password = values['kafka.saslPassword'];
  const tokenFile = values['kafka.saslTokenFile'];
  if (mechanism === undefined) {
    if (username !== undefined || password !== undefined || tokenFile !== undefined) {
      throw mismatch('credentials are given, and no kafka.saslMechanism to use them with');
    }
    return undefined;
  }
  if (mechanism === 'oauthbearer') {
    if (tokenFile === undefined) throw mismatch('kafka.saslMechanism oauthbearer needs kafka.saslTokenFile');
    // Once it was there, a file that is not is being replaced, or soon made again: only then it is worth a retry.
    await readToken(tokenFile);
    return { mechanism, token: () => readToken(tokenFile) };
  }
  if (username === undefined || password === undefined) {
    throw mismatch(`kafka.saslMechanism ${mechanism} needs kafka.saslUsername and kafka.saslPassword`);
  }
  return { mechanism, username, password };
}

/** Never an empty one: brokers refuse that for good, and whoever replaces the file may have emptied it first. */
async function readToken(path: string): Promise<string> {
  const setting = 'kafka.saslTokenFile';
  const token = (await readNamedFile(setting, path))?.toString('utf8').trim() ?? '';
  if (token === '') throw mismatch(`${setting}: ${path} is empty`);
  return token;
}

function mismatch(message: string): PersistenceError {
  return new PersistenceError('INVALID_CONFIGURATION', message);
}
