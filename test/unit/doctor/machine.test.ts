import { describe, expect, test } from 'vitest';
import { judgeFileSystem, judgeSpace } from '../../../src/compose/doctor/directory-checks.ts';
import { judgeProbe } from '../../../src/compose/doctor/disk-checks.ts';
import { holderOf } from '../../../src/compose/doctor/lock-holder.ts';
import { thisMachine } from '../../../src/compose/doctor/machine.ts';
import { clock, memory, nodeVersion, openFiles } from '../../../src/compose/doctor/machine-checks.ts';
import { examinedWith } from './examined.ts';

test.each([
  ['18.20.0', 'problem'],
  ['20.18.9', 'problem'],
  ['20.19.0', 'ok'],
  ['24.1.0', 'ok'],
])('Node.js %s is found a %s', async (version, result) => {
  expect(await nodeVersion(examinedWith({}, { nodeVersion: version }))).toMatchObject([{ subject: 'node', result }]);
});

test('little memory is a warning, which names what to allow or to lower', async () => {
  const small = { memory: 2 ** 28 };
  expect(await memory(examinedWith({}, small))).toMatchObject([
    { result: 'warning', change: expect.stringContaining('http.maximumBuffered') },
  ]);
  expect(await memory(examinedWith({}))).toMatchObject([{ result: 'ok' }]);
});

test('too few open files for the connections allowed are a warning', async () => {
  const few = { openFiles: 1_500 };
  expect(await openFiles(examinedWith({}, few))).toMatchObject([
    { result: 'warning', change: expect.stringContaining('ulimit -n') },
  ]);
  expect(await openFiles(examinedWith({ 'http-maximum-connections': '100' }, few))).toMatchObject([{ result: 'ok' }]);
  expect(await openFiles(examinedWith({}, { openFiles: undefined }))).toMatchObject([{ result: 'ok' }]);
});

test('a year that cannot be is a problem', async () => {
  const examined = examinedWith({});
  const at = (time: number) => clock({ ...examined, clock: { ...examined.clock, now: () => time } });
  expect(await at(0)).toMatchObject([{ result: 'problem', found: expect.stringContaining('1970') }]);
  expect(await at(Date.UTC(2101, 0))).toMatchObject([{ result: 'problem' }]);
  expect(await at(Date.UTC(2030, 0))).toMatchObject([{ result: 'ok' }]);
});

test('this machine can be read', async () => {
  const machine = await thisMachine();
  expect(machine.memory).toBeGreaterThan(2 ** 26);
  expect(machine.nodeVersion).toBe(process.versions.node);
});

describe('disks', () => {
  test.each([
    [0xef53, 'ok', 'ext4'],
    [0x01021994, 'warning', 'tmpfs'],
    [0x6969, 'warning', 'NFS'],
    [0x794c7630, 'warning', 'overlayfs'],
    [0x12345, 'ok', '0x12345'],
  ])('file system %i is found %s', (type, result, name) => {
    expect(judgeFileSystem('disk', type)).toMatchObject({ result, found: expect.stringContaining(name) });
  });

  test('a nearly full one is a problem, one that the queue may outgrow a warning', () => {
    expect(judgeSpace('/d', 2 ** 20, 0)).toMatchObject({ result: 'problem' });
    expect(judgeSpace('/d', 2 ** 30, 2 ** 31)).toMatchObject({
      result: 'warning',
      change: expect.stringContaining('embedded.retentionSize'),
    });
    expect(judgeSpace('/d', 2 ** 32, 2 ** 31)).toMatchObject({ result: 'ok' });
  });

  test('slow syncs and a file server with another time are warnings', () => {
    expect(judgeProbe('/d', { syncs: [1, 2, 90], drift: 3 })).toMatchObject([{ subject: 'sync', result: 'ok' }]);
    expect(judgeProbe('/d', { syncs: [1, 40, 90], drift: -60_000 })).toMatchObject([
      { subject: 'sync', result: 'warning', found: expect.stringContaining('40.0 ms, at most 90.0 ms') },
      { subject: 'clock', result: 'warning', found: expect.stringContaining('-60.0 s') },
    ]);
  });
});

test('the holder of a lock is read from the table of locks, those who wait for it are not', () => {
  const locks = [
    '1: POSIX  ADVISORY  WRITE 27006 fe:00:10027714 0 EOF',
    '1: -> POSIX  ADVISORY  WRITE 5 fe:00:10052100 0 EOF',
    '2: POSIX  ADVISORY  WRITE 29970 fe:00:10052100 0 EOF',
  ].join('\n');
  expect(holderOf(locks, 10052100)).toBe(29970);
  expect(holderOf(locks, 4)).toBeUndefined();
});
