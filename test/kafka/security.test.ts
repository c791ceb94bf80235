import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import type { KafkaSasl } from '../../src/queues/kafka/connection/kafka-options.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { allow, documentedRoles } from '../support/access-rules.ts';
import { Canaries } from '../support/canaries.ts';
import { blocksOf } from '../support/console.ts';
import { type Ending, runProgram } from '../support/program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { type KafkaUser, type SecuredKafka, startSecuredBroker } from '../support/secured-kafka.ts';
import { TopicProgram } from '../support/topic-program.ts';
import { unsecuredToken } from '../support/unsecured-token.ts';
import { queueOptions } from './kafka-queue-harness.ts';

const canaries = new Canaries();
const wrong = canaries.mark('Wrong');
const redisPassword = canaries.mark('Redis');

let kafka: SecuredKafka;
let program: TopicProgram;
let worker: KafkaUser;
let token: string;
/** Everything that anybody said, whatever came of it. */
const said: string[] = [];

/** The configuration files of docs/secure-kafka.md: by a certificate, a password, a token. */
const [byCertificate = '', byPassword = '', byToken = ''] = blocksOf(
  readFileSync(join(root, 'docs/secure-kafka.md'), 'utf8'),
  'json',
);

const ways: Readonly<Record<string, string>> = {
  certificate: byCertificate,
  plain: byPassword.replace('scram-sha-512', 'plain'),
  'scram-sha-256': byPassword.replace('scram-sha-512', 'scram-sha-256'),
  'scram-sha-512': byPassword,
  oauthbearer: byToken,
};

beforeAll(async () => {
  kafka = await startSecuredBroker(['worker', 'stranger']);
  program = await TopicProgram.init(1, { kafka: kafka.address, topic: 'macp.commands' });
  const known = kafka.users.get('worker');
  if (known === undefined) throw new Error('no user');
  worker = known;
  token = unsecuredToken('worker');
  for (const secret of [worker.password, token, readFileSync(worker.certificate.key, 'utf8').split('\n')[1] ?? ''])
    canaries.add(secret);
  const roles = documentedRoles();
  const grants = ['worker', 'publisher'].flatMap((role) => roles.get(role)?.own ?? []);
  // What both roles hold is allowed once.
  const distinct = [...new Map(grants.map((grant) => [Object.values(grant).join(), grant])).values()];
  const groups = Object.keys(ways).map((way) => ({ TOPIC: 'macp.commands', NEW: '', GROUP: `by-${way}`, ID: '' }));
  const [first, ...others] = groups.map((named) => ({ user: 'worker', grants: distinct, named }));
  const ofGroup = others.map((one) => ({ ...one, grants: distinct.filter(({ type }) => type === 'group') }));
  await allow(kafka.address, first === undefined ? [] : [first, ...ofGroup]);
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await kafka[Symbol.asyncDispose]();
});

/** A directory with a configuration file of the document, and the files that this names. */
function configured(name: string, text: string): string {
  const directory = join(program.directory, name);
  mkdirSync(directory);
  const addresses = text.replace('kafka.example:9093', kafka.tls).replace('kafka.example:9094', kafka.sasl);
  writeFileSync(join(directory, 'macp-persist.json'), addresses);
  copyFileSync(kafka.authorityFile, join(directory, 'ca.pem'));
  copyFileSync(worker.certificate.certificate, join(directory, 'worker.pem'));
  copyFileSync(worker.certificate.key, join(directory, 'worker.key'));
  writeFileSync(join(directory, 'token'), `${token}\n`);
  return directory;
}

type Variables = Readonly<Record<string, string>>;

/** The environment of whoever goes by a configuration file, in which the queue stands. */
function environment(more: Variables): Variables {
  return { MACP_PERSIST_HTTP_PORT: '0', MACP_PERSIST_LOG_LEVEL: 'trace', ...more };
}

function createEvent(session: string): string {
  const attributes = { specversion: '1.0', id: 'a', source: '//test', type: 'macp.session.create.v1' };
  return JSON.stringify({ ...attributes, subject: session });
}

/** Whoever has a certificate has no password. */
function passwordFor(way: string): Variables {
  return way === 'certificate' ? {} : { MACP_PERSIST_KAFKA_SASL_PASSWORD: worker.password };
}

/** Runs it, and keeps what it said. */
async function run(words: readonly string[], directory: string, variables: Variables): Promise<Ending> {
  const ending = await runProgram(words, { directory, environment: environment(variables) });
  said.push(ending.stdout, ending.stderr);
  return ending;
}

describe('with a configuration file of docs/secure-kafka.md', () => {
  test.concurrent.each(Object.entries(ways))('commands are published and persisted: %s', async (way, text) => {
    const variables = { MACP_PERSIST_KAFKA_GROUP: `by-${way}`, MACP_PERSIST_STORE: 'memory', ...passwordFor(way) };
    const directory = configured(way, text);
    await using service = new RunningProgram(['start'], { directory, environment: environment(variables) });
    const answer = await fetch(`${await service.url()}/v1/commands?wait=applied`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: createEvent(way),
    });
    expect([answer.status, await answer.json()]).toMatchObject([200, { results: [{ outcome: 'applied' }] }]);
    const { code, stdout, stderr } = await service.stop();
    expect(code).toBe(0);
    said.push(stdout, stderr);
  });
});

interface Refused {
  readonly way: string;
  /** What stands in the configuration file instead of what. */
  readonly instead?: readonly [was: string | RegExp, is: string];
  /** What a file that it names holds instead. */
  readonly file?: readonly [name: string, text: () => string];
  readonly password?: string;
  readonly code?: number;
  readonly says: RegExp;
}

const vouch = /; the certificates of the brokers and of this program have to vouch for one another$/m;
const refusals: Readonly<Record<string, Refused>> = {
  'a wrong password by PLAIN': {
    way: 'plain',
    password: wrong,
    says: /SASL_AUTHENTICATION_FAILED .*; look at the user/,
  },
  'a wrong password by SCRAM': {
    way: 'scram-sha-512',
    password: wrong,
    says: /SASL_AUTHENTICATION_FAILED .*; look at the user/,
  },
  'a user that nobody knows': { way: 'plain', instead: ['"worker"', '"nobody"'], says: /SASL_AUTHENTICATION_FAILED/ },
  'a user that may do nothing': {
    way: 'oauthbearer',
    file: ['token', () => unsecuredToken('stranger')],
    says: /TOPIC_AUTHORIZATION_FAILED; allow Describe to this user by an ACL$/m,
  },
  'a token that is none': {
    way: 'oauthbearer',
    file: ['token', () => wrong],
    says: /Kafka does not accept the bearer token/,
  },
  'a file for tokens that is not there': {
    way: 'oauthbearer',
    instead: ['"token"', '"nowhere"'],
    says: /INVALID_CONFIGURATION: kafka.saslTokenFile: nowhere cannot be read \(ENOENT\)$/m,
  },
  'brokers that nobody vouches for': { way: 'plain', instead: ['"tlsCa": "ca.pem", ', ''], says: vouch },
  'an authority that is none': {
    way: 'plain',
    file: ['ca.pem', () => wrong],
    says: /INVALID_CONFIGURATION: kafka.tlsCa: ca.pem holds no certificate in PEM$/m,
  },
  'no certificate where the brokers want one': {
    way: 'certificate',
    instead: [/, "tlsCertificate".*"worker.key"/, ''],
    says: vouch,
  },
  'a key that is none': {
    way: 'certificate',
    file: ['worker.key', () => wrong],
    says: /INVALID_CONFIGURATION: kafka.tlsKey: worker.key holds no private key in PEM, or one that is encrypted$/m,
  },
  'the key of another certificate': {
    way: 'certificate',
    file: ['worker.key', () => readFileSync(kafka.users.get('stranger')?.certificate.key ?? '', 'utf8')],
    says: /INVALID_CONFIGURATION: kafka.tlsKey: worker.key is not the private key of the certificate in worker.pem$/m,
  },
  'a connection without TLS': {
    way: 'plain',
    instead: ['"tls": true, "tlsCa": "ca.pem", ', ''],
    code: 6,
    says: /QUEUE_UNAVAILABLE: connecting to Kafka without TLS: Closed connection$/m,
  },
};

describe('what the brokers refuse is told', () => {
  test.concurrent.each(Object.entries(refusals))(
    '%s',
    async (name, { way, instead, file, password, code = 2, says }) => {
      const text = ways[way] ?? '';
      const directory = configured(name, instead === undefined ? text : text.replace(...instead));
      if (file !== undefined) writeFileSync(join(directory, file[0]), file[1]());
      const given = password === undefined ? passwordFor(way) : { MACP_PERSIST_KAFKA_SASL_PASSWORD: password };
      const ending = await run(['worker', '--exit-when-caught-up'], directory, given);
      expect([ending.code, ending.stdout, ending.stderr]).toEqual([code, '', expect.stringMatching(says)]);
    },
  );
});

describe('passwords, tokens and keys', () => {
  const passwords = (): Variables => ({
    MACP_PERSIST_KAFKA_SASL_PASSWORD: worker.password,
    MACP_PERSIST_KAFKA_GROUP: 'by-plain',
    MACP_PERSIST_STORE: `redis://someone:${redisPassword}@127.0.0.1:1/0`,
  });

  test('are in nothing that tells of settings and of how things stand', async () => {
    const directory = configured('told', ways['plain'] ?? '');
    const told = await run(['config'], directory, passwords());
    expect(told).toMatchObject({ code: 0, stdout: expect.stringMatching(/kafka\.saslPassword.*\(secret\)/) });
    await run(['config', '--json'], directory, passwords());
    expect((await run(['doctor'], directory, passwords())).stdout).toMatch(/^ok +kafka +topic macp.commands/m);
    expect(await run(['status'], directory, passwords())).toMatchObject({ code: 6 });
    expect(await run(['worker'], directory, passwords())).toMatchObject({ code: 6 });
    const mistaken = ['config', '--queue', `kafka://someone:${wrong}@kafka.example/topic?password=${wrong}`];
    expect(await run(mistaken, directory, passwords())).toMatchObject({ code: 2 });
  });

  test('are in nothing that a process leaves behind that falls over', async () => {
    const directory = configured('falls', ways['plain'] ?? '');
    const falling = '--import=data:text/javascript,setTimeout(()=>{throw%20new%20Error("it%20fell%20over")},2000)';
    const variables = { ...passwords(), MACP_PERSIST_STORE: 'memory', NODE_OPTIONS: falling };
    expect(await run(['start'], directory, variables)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it fell over'),
    });
  });

  test.each<[string, () => KafkaSasl]>([
    ['plain', () => ({ mechanism: 'plain', username: 'worker', password: wrong })],
    ['scram-sha-256', () => ({ mechanism: 'scram-sha-256', username: 'worker', password: wrong })],
    ['oauthbearer', () => ({ mechanism: 'oauthbearer', token: async () => wrong })],
  ])('are not in an error either, however deep one looks: %s', async (_, sasl) => {
    const options = queueOptions(kafka.sasl, 'macp.commands');
    const connection = { ...options.connection, tls: { ca: kafka.authority }, sasl: sasl() };
    const failure = await openKafkaQueue({ ...options, connection }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INVALID_CONFIGURATION' });
    said.push(inspect(failure, { depth: 50, showHidden: true, maxArrayLength: null, maxStringLength: null }));
  });

  test('are found nowhere in all that was said', () => {
    expect(said.join('')).toMatch(/"level":20/);
    expect(said.length).toBeGreaterThan(30);
    expect(said.flatMap((text) => canaries.in(text))).toEqual([]);
  });
});
