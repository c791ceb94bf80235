import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTokenSource } from '../../../src/http-server/tokens.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { keptLog } from './log-lines.ts';

const old = 'canary-old-0123456789';
const fresh = 'canary-new-0123456789';
const content = (token: string) => JSON.stringify({ tokens: [{ name: 'ops', token, scopes: ['read'] }] });

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokens-'));
  path = join(directory, 'tokens.json');
  await writeFile(path, content(old), { mode: 0o600 });
});

afterEach(() => rm(directory, { recursive: true }));

/** A source over the file, with a clock that is told what time it is. */
async function openSource(ownerToken?: string) {
  let elapsed = 0;
  const log = keptLog();
  const clock = { ...systemClock, elapsed: () => elapsed };
  const source = await openTokenSource({ path, ownerToken, clock, logger: log.logger });
  const pass = (milliseconds: number): void => {
    elapsed += milliseconds;
  };
  return { source, pass, lines: log.lines };
}

describe('tokens of a file', () => {
  const changes: readonly (readonly [string, () => Promise<void>])[] = [
    ['written anew', () => writeFile(path, content(fresh))],
    [
      'replaced by another file',
      async () => {
        await writeFile(`${path}.new`, content(fresh));
        await rename(`${path}.new`, path);
      },
    ],
  ];

  test.each(changes)('are read again after it was %s, at most once a second', async (_, change) => {
    const { source, pass } = await openSource();
    expect(await source.find(old)).toMatchObject({ name: 'ops' });
    await change();
    pass(999);
    expect(await source.find(fresh)).toBeUndefined();
    pass(1);
    expect(await source.find(fresh)).toMatchObject({ name: 'ops' });
    expect(await source.find(old)).toBeUndefined();
  });

  test('are read again when a link on the way points elsewhere, as with secrets of Kubernetes', async () => {
    for (const [name, token] of [
      ['one', old],
      ['two', fresh],
    ] as const) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, 'tokens.json'), content(token));
    }
    await symlink('one', join(directory, 'data'));
    await rm(path);
    await symlink(join('data', 'tokens.json'), path);
    const { source, pass } = await openSource();
    expect(await source.find(old)).toBeDefined();
    await symlink('two', join(directory, 'data.new'));
    await rename(join(directory, 'data.new'), join(directory, 'data'));
    pass(1_000);
    expect(await source.find(old)).toBeUndefined();
    expect(await source.find(fresh)).toBeDefined();
  });

  test.each([
    ['gone', () => rm(path)],
    ['not JSON any more', () => writeFile(path, `{"tokens":"${fresh}`)],
    ['a directory', () => rm(path).then(() => mkdir(path))],
    ['refused', () => writeFile(path, JSON.stringify({ tokens: [{ name: fresh }] }))],
  ])('stay as they were while it is %s, which is told once', async (_, change) => {
    const { source, pass, lines } = await openSource();
    await change();
    for (let look = 0; look < 3; look += 1) {
      pass(1_000);
      expect(await source.find(old)).toMatchObject({ name: 'ops' });
    }
    const errors = lines.filter(({ level }) => level === 50);
    expect(errors).toEqual([expect.objectContaining({ code: 'INVALID_CONFIGURATION' })]);
    expect(JSON.stringify(lines)).not.toContain('canary');
    await rm(path, { recursive: true, force: true });
    await writeFile(path, content(fresh));
    pass(1_000);
    expect(await source.find(fresh)).toMatchObject({ name: 'ops' });
  });

  test('are looked for once, however many ask at the same time', async () => {
    const { source, pass, lines } = await openSource();
    await writeFile(path, content(fresh));
    pass(1_000);
    const found = await Promise.all(Array.from({ length: 20 }, () => source.find(fresh)));
    expect(found.every((token) => token?.name === 'ops')).toBe(true);
    expect(lines.filter(({ msg }) => msg === 'the tokens were read again')).toHaveLength(1);
  });

  test('that everybody may read are warned of', async () => {
    expect((await openSource()).lines).toEqual([]);
    await chmod(path, 0o644);
    expect((await openSource()).lines).toEqual([expect.objectContaining({ level: 40, path })]);
  });

  test('do not keep the owner out, whatever becomes of them', async () => {
    const { source, pass } = await openSource('canary-owner-0123456789');
    await writeFile(path, content(fresh));
    pass(1_000);
    expect(await source.find(fresh)).toMatchObject({ scopes: ['read'] });
    expect(await source.find('canary-owner-0123456789')).toMatchObject({ scopes: ['admin'] });
  });

  test('that cannot be used at the start are an error, without a word of them', async () => {
    await writeFile(path, `["${fresh}`);
    await expect(openSource()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION', message: /not JSON/ });
    await rm(path);
    await expect(openSource()).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: `the tokens cannot be read from ${path}: ENOENT`,
    });
  });

  test('need a file or an owner', async () => {
    const { logger } = keptLog();
    await expect(openTokenSource({ clock: systemClock, logger })).rejects.toThrow(TypeError);
    const source = await openTokenSource({ ownerToken: fresh, clock: systemClock, logger });
    expect(await source.find(fresh)).toMatchObject({ scopes: ['admin'] });
    expect(await source.find(old)).toBeUndefined();
  });
});
