import { readFileSync } from 'node:fs';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  type KafkaConfig,
  logLevel,
  ResourcePatternTypes,
  type SASLOptions,
} from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asAdmin, createTopic } from '../support/kafka.ts';
import { type KafkaUser, type SecuredKafka, startSecuredBroker } from '../support/secured-kafka.ts';
import { unsecuredToken } from '../support/unsecured-token.ts';

let kafka: SecuredKafka;
let topic: string;

beforeAll(async () => {
  kafka = await startSecuredBroker(['writer', 'stranger']);
  topic = await createTopic(kafka.address);
  await asAdmin(kafka.address, (admin) =>
    admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:writer',
          host: '*',
          operation: AclOperationTypes.WRITE,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    }),
  );
});
afterAll(() => kafka[Symbol.asyncDispose]());

type Way = (user: KafkaUser) => Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'>;

const bySasl = (options: (user: KafkaUser) => SASLOptions): Way => {
  return (user) => ({ brokers: [kafka.sasl], ssl: { ca: kafka.authority }, sasl: options(user) });
};

const ways: Readonly<Record<string, Way>> = {
  'a certificate': ({ certificate }) => ({
    brokers: [kafka.tls],
    ssl: {
      ca: kafka.authority,
      cert: readFileSync(certificate.certificate, 'utf8'),
      key: readFileSync(certificate.key, 'utf8'),
    },
  }),
  PLAIN: bySasl(({ name, password }) => ({ mechanism: 'plain', username: name, password })),
  'SCRAM-SHA-256': bySasl(({ name, password }) => ({ mechanism: 'scram-sha-256', username: name, password })),
  'SCRAM-SHA-512': bySasl(({ name, password }) => ({ mechanism: 'scram-sha-512', username: name, password })),
  OAUTHBEARER: bySasl(({ name }) => ({
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => ({ value: unsecuredToken(name) }),
  })),
};

async function write(way: Way, name: string): Promise<void> {
  const user = kafka.users.get(name);
  if (user === undefined) throw new TypeError(`no user ${name}`);
  const client = new Kafka({ ...way(user), clientId: name, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const producer = client.producer();
  try {
    await producer.connect();
    await producer.send({ topic, messages: [{ value: name }] });
  } finally {
    await producer.disconnect();
  }
}

test.each(Object.entries(ways))('who is known by %s may do what an ACL allows, and nothing else', async (_, way) => {
  await write(way, 'writer');
  await expect(write(way, 'stranger')).rejects.toThrow(/[Nn]ot authorized/);
});
