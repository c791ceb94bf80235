import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeEvent } from '../../../src/domain/wire/structured.ts';
import { append, create, numbered, save, snapshotText } from '../../support/commands.ts';
import { freshDirectory, runProgram, startProgram } from '../../support/program.ts';

let directory = '';
const hostile = 'bell\u0007\u202eid';
const plain = 'plain-session-of-the-tests';
const entry = (kind: string, mark: string, more: object = {}): string =>
  JSON.stringify({
    message_id: mark,
    received_at_ms: 1,
    sender: 's',
    message_type: 't',
    raw_payload: [],
    entry_kind: kind,
    ...more,
  });

beforeAll(async () => {
  directory = freshDirectory();
  const session = plain;
  const log = [
    entry('Checkpoint', 'c', { compacted_incoming_ordinals: 5 }),
    entry('Incoming', 'm6'),
    entry('Internal', 'i'),
    entry('Incoming', 'm7'),
  ];
  const commands = [
    create(1, { session: hostile }),
    append(2, 'a', { session: hostile }),
    save(1, 'snap', { session }),
    ...log.map((data, index) => numbered('macp.log.append.v1', index + 2, data, { session })),
    append(9, 'parked', { session }),
  ];
  const input = `${commands.map((command) => Buffer.from(encodeEvent(command)).toString()).join('\n')}\n`;
  await runProgram(['publish', '-'], { directory, input });
  await runProgram(['worker', '--exit-when-caught-up'], { directory });
});
afterAll(() => rmSync(directory, { recursive: true }));

const run = (...words: string[]) => runProgram(words, { directory });
const parsed = (stdout: string): readonly unknown[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('sessions', () => {
  test('list prints ids so that a terminal stays as it is, and they can be given back', async () => {
    const { stdout } = await run('sessions', 'list');
    expect(stdout).toBe(`"bell\\u0007\\u202eid"\n${plain}\n`);
    expect(parsed((await run('sessions', 'list', '--json')).stdout)).toEqual([
      { session_id: hostile },
      { session_id: plain },
    ]);
    const shown = await run('sessions', 'show', '"bell\\u0007\\u202eid"', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ session_id: hostile, log_entries: 1, snapshot: null });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
    expect((await run('sessions', 'show', hostile)).stdout).not.toMatch(/[\u0007\u202e]/);
  });

  test('show tells cursor, log, what is parked and what the snapshot says', async () => {
    const { stdout } = await run('sessions', 'show', plain, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      presence: 'known',
      epoch: 1,
      last_sequence: 5,
      log_entries: 4,
      compaction_base: 5,
      parked: { commands: 1 },
      dead_letters: {},
      snapshot: { bytes: snapshotText('snap', plain).length },
    });
    expect((await run('sessions', 'show', plain)).stdout).toMatch(/parked +1 commands/);
  });

  test.each<[readonly string[], readonly string[]]>([
    [[], ['c', 'm6', 'i', 'm7']],
    [
      ['--from', '1', '--to', '3'],
      ['m6', 'i'],
    ],
    [['--from', '2', '--limit', '1'], ['i']],
    [['--limit', '0'], []],
    [['--from', '9'], []],
  ])('log %j prints the entries as they are stored', async (words, marks) => {
    const { stdout, code } = await run('sessions', 'log', plain, ...words);
    const found = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).message_id);
    expect([found, code]).toEqual([marks, 0]);
  });

  test.each([
    ['5', [6, 7]],
    ['6', [7]],
    ['7', []],
    ['100', []],
  ])('incoming --after %s counts on from the compaction base', async (after, ordinals) => {
    const { stdout } = await run('sessions', 'incoming', plain, '--after', after);
    const found = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(found.map(({ ordinal, entry: { message_id } }) => [ordinal, message_id])).toEqual(
      ordinals.map((ordinal) => [ordinal, `m${ordinal}`]),
    );
  });

  test('incoming below the compaction base is an error that names it', async () => {
    const ending = await run('sessions', 'incoming', plain, '--after', '4');
    expect(ending).toMatchObject({ code: 4, stdout: '' });
    expect(ending.stderr).toMatch(/BELOW_COMPACTION_BASE: .*up to 5/);
  });

  test.each([
    [['sessions', 'log', 'nobody'], 4, 'SESSION_NOT_FOUND'],
    [['sessions', 'show', 'nobody'], 4, 'SESSION_NOT_FOUND'],
    [['sessions', 'show', 'a/b'], 3, 'INVALID_SESSION_ID'],
    [['sessions', 'list', '--store', 'level:nowhere'], 2, 'there is no store at level:'],
    [['status', '--queue', 'ndjson:x'], 2, 'ndjson, which is not part of this build'],
    [['sessions', 'list', '--store', 'rocksdb:nowhere'], 2, 'there is no store at rocksdb:'],
    [['sessions', 'list', '--store', 'file:nowhere'], 2, 'there is no store at file:'],
    [['sessions', 'list', '--store', `file:${import.meta.filename}`], 2, 'there is no store at file:'],
    [['sessions', 'lst'], 2, 'sessions needs one of: list, show, log, incoming, dump'],
    [['wroker'], 2, 'did you mean worker?'],
    [['--json', 'config'], 2, 'the command comes first'],
    [['config', '--config', 'nowhere.json'], 2, 'there is no such file'],
  ] as const)('%j ends with %i', async (words, code, text) => {
    const ending = await run(...words);
    expect(ending).toMatchObject({ code, stdout: '' });
    expect(ending.stderr).toContain(text);
  });

  test('another store is read with --store', async () => {
    const { stdout } = await runProgram([
      'sessions',
      'list',
      '--store',
      `level:${join(directory, 'macp-persist-data/level')}`,
    ]);
    expect(stdout).toContain(plain);
  });

  test('a reader that goes away early, as head does, ends a command quietly', async () => {
    const child = startProgram(['sessions', 'dump'], { directory });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('a place that cannot be written', () => {
  test('as standard output is told with its own exit code', async () => {
    const { code, stderr } = await runProgram(['sessions', 'dump'], { directory, output: '/dev/full' });
    expect(code).toBe(6);
    expect(stderr).toMatch(/^macp-persist: DISK_FULL: standard output cannot be written/);
  });

  test('as data directory is told, and not tried for ever', async () => {
    const ending = await run('worker', '--data-dir', '/proc/nothing');
    expect(ending.code).toBe(7);
    expect(ending.stderr).toContain('QUEUE_IO_FAILED');
  });
});

describe('settings', () => {
  test('config shows each value and where it came from, and no secret', async () => {
    const here = freshDirectory();
    writeFileSync(
      join(here, 'macp-persist.json'),
      JSON.stringify({ log: { level: 'warn' }, worker: { batchCommands: 7 } }),
    );
    const environment = { MACP_PERSIST_WORKER_BATCH_COMMANDS: '8', MACP_DATA_DIR: '/upstream' };
    const { stdout } = await runProgram(['config', '--json', '--worker-batch-size', '1MiB'], {
      directory: here,
      environment,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      'worker.batchSize': { value: '1MiB', from: '--worker-batch-size' },
      'worker.batchCommands': { value: '8', from: 'MACP_PERSIST_WORKER_BATCH_COMMANDS' },
      'log.level': { value: 'warn', from: `${join(here, 'macp-persist.json')}, key log.level` },
      dataDir: { value: '/upstream', from: 'MACP_DATA_DIR' },
      store: { value: 'level', from: 'default' },
    });
    rmSync(here, { recursive: true });
  });

  test('mistakes of every source are told together, before anything is opened, without secrets', async () => {
    const canary = 'hunter2canary';
    const environment = {
      MACP_PERSIST_QUEU: 'x',
      MACP_REDIS_URL: `redis://:${canary}@h:99999`,
      MACP_STORAGE_BACKEND: 'redis',
    };
    const ending = await runProgram(['worker', '--redis-password', canary, '--log-level', 'loud'], {
      directory,
      environment,
    });
    expect(ending).toMatchObject({ code: 2, stdout: '' });
    for (const source of [
      '--redis-password',
      '--log-level',
      'MACP_PERSIST_QUEU',
      'MACP_STORAGE_BACKEND and MACP_REDIS_URL',
    ]) {
      expect(ending.stderr).toContain(`${source}: `);
    }
    expect(ending.stderr).not.toContain(canary);
  });

  test.each([['--help'], ['publish', '--help'], ['sessions', 'incoming', '--help']])(
    '%s %s teaches with examples',
    async (...words) => {
      const { stdout, code } = await run(...words);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Usage: macp-persist/);
      expect(stdout).toMatch(/macp-persist (publish|sessions) \S/);
    },
  );
});

describe('worker', () => {
  const started = async (words: readonly string[] = ['worker']) => {
    const child = startProgram(words, { directory });
    const lines = createInterface({ input: child.stderr });
    for await (const line of lines) if (JSON.parse(line).to === 'running') break;
    child.stderr.resume();
    return child;
  };

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it in order', async (signal) => {
    const child = await started();
    child.kill(signal);
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
  });

  test('owns its queue and its store: a second one is told at once, whoever reads works through it', async () => {
    const child = await started();
    const closed = once(child, 'close');
    const [second, reader] = await Promise.all([run('worker'), run('sessions', 'list')]);
    expect([second.code, reader.code]).toEqual([5, 0]);
    expect(second.stderr).toContain('QUEUE_LOCKED');
    expect(reader.stdout).toContain(plain);
    child.kill('SIGTERM');
    await closed;
  });
});
