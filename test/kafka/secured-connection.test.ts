import { readFileSync } from 'node:fs';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCluster } from '../../src/queues/kafka/connection/cluster.ts';
import { createKafka } from '../../src/queues/kafka/connection/create-kafka.ts';
import { kafkaFailure, protocolFailure } from '../../src/queues/kafka/connection/failures.ts';
import type { KafkaConnectionOptions } from '../../src/queues/kafka/connection/kafka-options.ts';
import { asAdmin, createTopic } from '../support/kafka.ts';
import { type KafkaUser, type SecuredKafka, startSecuredBroker } from '../support/secured-kafka.ts';
import { plainOptions, TopicReader } from '../support/topic-reader.ts';
import { unsecuredToken } from '../support/unsecured-token.ts';

let kafka: SecuredKafka;
let topic: string;

beforeAll(async () => {
  kafka = await startSecuredBroker(['reader', 'onlooker']);
  topic = await createTopic(kafka.address);
  const allow = (name: string, operation: AclOperationTypes) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${name}`,
    host: '*',
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  });
  const { READ, DESCRIBE } = AclOperationTypes;
  await asAdmin(kafka.address, (admin) =>
    admin.createAcls({ acl: [allow('reader', READ), allow('onlooker', DESCRIBE)] }),
  );
});
afterAll(() => kafka[Symbol.asyncDispose]());

function user(name: string): KafkaUser {
  const known = kafka.users.get(name);
  if (known === undefined) throw new TypeError(`no user ${name}`);
  return known;
}

function byCertificate({ certificate }: KafkaUser): KafkaConnectionOptions {
  const tls = {
    ca: kafka.authority,
    certificate: readFileSync(certificate.certificate),
    key: readFileSync(certificate.key),
  };
  return { ...plainOptions(kafka.tls), tls };
}

function byPassword(mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512') {
  return ({ name, password }: KafkaUser): KafkaConnectionOptions => ({
    ...plainOptions(kafka.sasl),
    tls: { ca: kafka.authority },
    sasl: { mechanism, username: name, password },
  });
}

function byToken({ name }: KafkaUser): KafkaConnectionOptions {
  const sasl = { mechanism: 'oauthbearer', token: async () => unsecuredToken(name) } as const;
  return { ...plainOptions(kafka.sasl), tls: { ca: kafka.authority }, sasl };
}

const ways: [string, (user: KafkaUser) => KafkaConnectionOptions][] = [
  ['a certificate', byCertificate],
  ['PLAIN', byPassword('plain')],
  ['SCRAM-SHA-256', byPassword('scram-sha-256')],
  ['SCRAM-SHA-512', byPassword('scram-sha-512')],
  ['OAUTHBEARER', byToken],
];

test.each(ways)('who is known by %s reads what an ACL allows, and is told what it does not', async (_, way) => {
  await using reader = await TopicReader.open(way(user('reader')), topic);
  expect(await reader.fetch({})).toMatchObject({ errorCode: 0 });
  await using onlooker = await TopicReader.open(way(user('onlooker')), topic);
  const { errorCode } = await onlooker.fetch({});
  expect(protocolFailure(errorCode, 'reading')).toMatchObject({ code: 'INVALID_CONFIGURATION', message: /ACL/ });
});

const canary = 'canary-that-nobody-may-see';

test.each<[string, () => Partial<KafkaConnectionOptions>]>([
  ['a wrong password by PLAIN', () => ({ sasl: { mechanism: 'plain', username: 'reader', password: canary } })],
  ['a wrong password by SCRAM', () => ({ sasl: { mechanism: 'scram-sha-512', username: 'reader', password: canary } })],
  ['a token that is none', () => ({ sasl: { mechanism: 'oauthbearer', token: async () => canary } })],
  ['brokers that nobody vouches for', () => ({ ...byPassword('plain')(user('reader')), tls: {} })],
])('%s is a mistake in the settings, told without its secrets', async (_, given) => {
  const told: string[] = [];
  const options = { ...plainOptions(kafka.sasl), tls: { ca: kafka.authority }, ...given() };
  const cluster = openCluster(createKafka(options, (_level, message) => told.push(message)));
  const failure = await cluster.connect().catch((error: unknown) => kafkaFailure(error, 'connecting'));
  await cluster.close();
  expect(failure).toMatchObject({ code: 'INVALID_CONFIGURATION', message: /^connecting: / });
  expect(`${told.join('\n')}\n${String(failure)}`).not.toContain(canary);
});

test('a broker that hangs is one that is away, and nothing is wrong with the settings', async () => {
  const options = byPassword('scram-sha-512')(user('reader'));
  const cluster = openCluster(
    createKafka({ ...options, connectionTimeout: 200, requestTimeout: 200 }, () => undefined),
  );
  kafka.pause();
  try {
    const failure = await cluster.connect().catch((error: unknown) => kafkaFailure(error, 'connecting'));
    expect(failure).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  } finally {
    kafka.resume();
    await cluster.close();
  }
});
