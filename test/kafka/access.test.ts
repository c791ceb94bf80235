import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/run.ts';
import { type ExitName, exitNameOf } from '../../src/compose/exit-codes.ts';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import { loadConfiguration } from '../../src/compose/settings.ts';
import { someCommand } from '../../src/conformance/queue-samples.ts';
import { toPersistenceError } from '../../src/domain/errors.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import { allow, documentedRoles, type Grant, type Named, nameOf, type Role, without } from '../support/access-rules.ts';
import { createTopic } from '../support/kafka.ts';
import { murmur2, readWithKcat, sendWithKcat } from '../support/kcat.ts';
import type { Ending } from '../support/program.ts';
import { type SecuredKafka, startSecuredBroker } from '../support/secured-kafka.ts';
import { TopicProgram } from '../support/topic-program.ts';
import { unsecuredToken } from '../support/unsecured-token.ts';
import { initialisedTopic } from './kafka-queue-harness.ts';

/** What a role does, with nothing left out that it may do. */
const works: Readonly<Record<string, readonly string[]>> = {
  init: ['init', '--kafka-partitions', '1'],
  repair: ['init', '--kafka-partitions', '1', '--repair'],
  publisher: ['publish', '-'],
  fenced: [],
  worker: ['worker', '--exit-when-caught-up', '--log-level', 'fatal'],
  reader: ['status'],
  mover: ['repartition', 'NEW', '--kafka-partitions', '2'],
};

function wordsOf({ role, named }: Actor): readonly string[] {
  return (works[role] ?? []).map((word) => (word === 'NEW' ? named.NEW : word));
}

interface Actor {
  readonly role: string;
  readonly user: string;
  readonly grants: readonly Grant[];
  readonly named: Named;
}

interface Lacking extends Actor {
  readonly left: Grant;
}

const roles = documentedRoles();
let kafka: SecuredKafka;
let program: TopicProgram;

/** Whoever makes topics has some of its own; all others work on the same ones. */
function actorOf(role: string, user: string, grants: readonly Grant[]): Actor {
  const own = role === 'init' || role === 'repair' || role === 'mover';
  return {
    role,
    user,
    grants,
    named: {
      TOPIC: own ? `of-${user}` : 'commands',
      NEW: `new-of-${user}`,
      GROUP: `group-${user}`,
      ID: `commands/${user}`,
    },
  };
}

function whole(role: string, { own, besides }: Role): Actor {
  return actorOf(role, `whole-${role}`, [...besides, ...own]);
}

const lacking: readonly Lacking[] = [...roles].flatMap(([name, role]) =>
  role.own.map((left, index) => ({ ...actorOf(name, `${name}-${index}`, without(role, left)), left })),
);

beforeAll(async () => {
  kafka = await startSecuredBroker(['foreign']);
  program = await TopicProgram.init(1, { kafka: kafka.address, topic: 'commands' });
  const actors = [...[...roles].map(([name, role]) => whole(name, role)), ...lacking];
  // Of a producer without this program: docs/secure-kafka.md allows it one thing.
  const foreign = { type: 'topic', name: 'TOPIC', operation: 'Write' };
  await allow(kafka.address, [...actors, actorOf('foreign', 'foreign', [foreign])]);
  for (const { role, named } of actors) {
    if (role === 'repair')
      await createTopic(kafka.address, { topic: named.TOPIC, settings: { 'retention.ms': '60000' } });
    if (role === 'mover') {
      await initialisedTopic(kafka.address, 1, named.TOPIC);
      await sendWithKcat(kafka.address, named.TOPIC, { key: 'a', headers: [['ce_id', 'to be moved']] });
    }
  }
  // Something to be copied as a dead letter, and a store that a status can be of.
  await sendWithKcat(kafka.address, 'commands', { key: 'a', headers: [['ce_id', 'no command']] });
  await program.json(['worker', '--exit-when-caught-up', '--store', program.redis]);
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await kafka[Symbol.asyncDispose]();
});

const event = {
  specversion: '1.0',
  id: 'a/1/1',
  source: '//me',
  type: 'macp.session.create.v1',
  subject: 'a',
  macpsequence: 1,
  macpepoch: 1,
};

/** How a user is known, and what it works on. Paths are whole: some of it runs in this very process. */
function environmentOf({ role, user, named }: Actor): Readonly<Record<string, string>> {
  const token = join(program.directory, user);
  writeFileSync(token, unsecuredToken(user));
  return {
    MACP_PERSIST_QUEUE: `kafka://${kafka.sasl}/${named.TOPIC}`,
    MACP_PERSIST_KAFKA_GROUP: named.GROUP,
    MACP_PERSIST_STORE: role === 'reader' ? program.redis : `level:${token}-store`,
    MACP_PERSIST_KAFKA_TLS: 'true',
    MACP_PERSIST_KAFKA_TLS_CA: kafka.authorityFile,
    MACP_PERSIST_KAFKA_SASL_MECHANISM: 'oauthbearer',
    MACP_PERSIST_KAFKA_SASL_TOKEN_FILE: token,
  };
}

const input = `${JSON.stringify(event)}\n`;

/** Has a user do the work of its role, or something else. */
async function act(actor: Actor, words = wordsOf(actor)): Promise<Ending> {
  return await program.run(words, { environment: environmentOf(actor), input });
}

/** The same without a process of its own, which takes a tenth of the time: how it ends, and what it says. */
async function actHere(actor: Actor): Promise<readonly [exit: ExitName, said: string]> {
  if (actor.role === 'fenced') return await publishFenced(actor);
  const results = new PassThrough().resume();
  const remarks = new PassThrough();
  const exit = await runProgram({
    words: wordsOf(actor),
    environment: environmentOf(actor),
    workingDirectory: program.directory,
    input: Readable.from([Buffer.from(input)]),
    results,
    remarks,
    interruption: new AbortController().signal,
  });
  return [exit, String(remarks.read() ?? '')];
}

/** Publishes under a name, which is the library's to do; ends, and says what it would, as a command. */
async function publishFenced(actor: Actor): Promise<readonly [exit: ExitName, said: string]> {
  const { values } = await loadConfiguration({
    flags: new Map(),
    configFile: undefined,
    environment: environmentOf(actor),
    workingDirectory: program.directory,
    mistakes: [],
  });
  try {
    await using queue = await openQueue(queueAddress(values), values);
    await using publisher = await queue.fencedPublisher?.(actor.user);
    await publisher?.publish([someCommand(parseSessionId('fenced'), 1)]);
    return ['done', ''];
  } catch (error) {
    const { code, message } = toPersistenceError(error);
    return [exitNameOf(error), `macp-persist: ${code}: ${message}`];
  }
}

describe('the roles of docs/secure-kafka.md', () => {
  test('are those that there are', () => expect([...roles.keys()]).toEqual(Object.keys(works)));

  test.concurrent.each([...roles])('%s works with what it is allowed there', async (name, role) => {
    const actor = whole(name, role);
    if (name === 'fenced') return expect(await publishFenced(actor)).toEqual(['done', '']);
    const { code, stderr } = await act(actor);
    expect(code, stderr).toBe(0);
  });

  test('leave a foreign producer with writing to the topic alone', async () => {
    const password = kafka.users.get('foreign')?.password ?? '';
    const settings = {
      'enable.idempotence': 'true',
      'security.protocol': 'SASL_SSL',
      'ssl.ca.location': kafka.authorityFile,
      'sasl.mechanism': 'PLAIN',
      'sasl.username': 'foreign',
      'sasl.password': password,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
    const sent = { key: 'foreign', headers: [['ce_id', 'foreign/1/1']] as const };
    await sendWithKcat(kafka.sasl, 'commands', sent, [...murmur2, ...words]);
    const keys = (await readWithKcat(kafka.address, 'commands')).map(({ key }) => key);
    expect(keys).toContain('foreign');
    await expect(sendWithKcat(kafka.sasl, 'commands.dead-letters', sent, words)).rejects.toThrow(
      /authorization failed/i,
    );
  });

  test.concurrent('a reader sees in doctor what there is to see', async () => {
    const role = roles.get('reader');
    if (role === undefined) throw new Error('no reader');
    const { code, stdout } = await act(whole('reader', role), ['doctor']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^ok +kafka +topic commands has 1 partitions$/m)]);
  });

  test.concurrent.each(lacking.map((actor) => [actor.role, actor.left.operation, actor.left.name, actor] as const))(
    '%s is refused without %s on %s, and told so',
    async (_, operation, name, actor) => {
      const [exit, said] = await actHere(actor);
      const [told = ''] = said.split('\n');
      expect(exit).toBe('usage');
      expect(told).toMatch(/^macp-persist: INVALID_CONFIGURATION: .*_AUTHORIZATION_FAILED; /);
      expect(told).toContain(`; allow ${operation} to this user by an ACL`);
      expect(told).toMatch(new RegExp(` ${nameOf(name, actor.named).replaceAll('.', '\\.')}[ :,]`));
    },
  );
});
