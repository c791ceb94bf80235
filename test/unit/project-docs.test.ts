import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/project.mjs';
import { suites } from '../../scripts/suites.mjs';
import { exitCodes } from '../../src/compose/exit-codes.ts';
import { variableOf } from '../../src/configuration/names.ts';
import { settingsTable } from '../../src/configuration/settings.ts';
import { errorDefinitions } from '../../src/domain/errors.ts';
import { readTokenFile } from '../../src/http-server/token-file.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const below = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));

/** The cells of the rows whose first cell is in backticks. */
function rowsOf(markdown: string): readonly (readonly string[])[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .replaceAll('\\|', '\0')
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('\0', '|').trim()),
    );
}

describe('docs/errors.md', () => {
  test('tells every code with its meaning, in the order of the code', () => {
    const documented = rowsOf(read('docs/errors.md')).map(([code, retry, meaning]) => [code, retry, meaning]);
    const defined = Object.entries(errorDefinitions).map(([code, { retryable, meaning }]) => [
      `\`${code}\``,
      retryable ? 'yes' : 'no',
      meaning,
    ]);
    expect(documented).toEqual(defined);
  });

  test('says for every code what to do', () => {
    for (const [code, , , remedy] of rowsOf(read('docs/errors.md'))) expect(remedy, code).toMatch(/\w.*\.$/);
  });
});

describe('docs/settings.md', () => {
  test('tells every setting with its default', () => {
    const settings = settingsTable({ stores: ['level'], queues: ['embedded'] });
    const defined = Object.entries(settings).map(([key, { fallback, description }]) => [
      `\`${key}\``,
      fallback === undefined ? '' : `\`${fallback}\``,
      description,
    ]);
    expect(rowsOf(read('docs/settings.md'))).toEqual(defined);
  });
});

describe('the container', () => {
  const { services, volumes, secrets } = parse(read('docker-compose.yml'));
  const { 'macp-persist': service } = services;

  test('the compose file starts the service, with data that outlives it', () => {
    expect(service.command).toEqual(['start']);
    expect(service.volumes).toEqual(['data:/data']);
    expect(Object.keys(volumes)).toEqual(['data']);
    expect(read('Dockerfile')).toContain('MACP_PERSIST_DATA_DIR=/data');
  });

  test('names only settings that there are, and waits longer than it drains', () => {
    const settings = settingsTable({ stores: ['level'], queues: ['embedded'] });
    const named = `${JSON.stringify(service.environment)} ${read('Dockerfile')}`.match(/MACP_PERSIST_[A-Z_]+/g) ?? [];
    expect(named.length).toBeGreaterThan(3);
    const known = Object.keys(settings).map(variableOf);
    for (const name of named) expect(known).toContain(name);
    const seconds = (text: unknown) => Number(/^([0-9]+)s$/.exec(String(text))?.[1]);
    expect(seconds(service.stop_grace_period)).toBeGreaterThan(seconds(settings['service.drainDeadline'].fallback));
  });

  test('holds no token that works: the example is refused until somebody replaces what it holds', () => {
    expect(service.environment.MACP_PERSIST_HTTP_TOKENS).toBe(`/run/secrets/${service.secrets[0]}`);
    expect(secrets[service.secrets[0]]).toEqual({ file: 'config/tokens.json' });
    expect(read('.gitignore').split('\n')).toContain('config/tokens.json');
    const example = read('config/tokens.example.json');
    expect(() => readTokenFile(example, 'the example')).toThrow(/64 hexadecimal digits/);
    let tokens = 0;
    const replaced = example.replaceAll(/"sha256": ".*"/g, () => {
      tokens += 1;
      return `"sha256": "${String(tokens).repeat(64)}"`;
    });
    expect(readTokenFile(replaced, 'the example').map(({ scopes }) => scopes)).toEqual([
      ['read', 'write'],
      ['read'],
      ['admin'],
    ]);
  });

  test('the image is built from files that exist and that it is given', () => {
    const given = new Set([...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path));
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(new Set(copied)).toEqual(given);
    for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
  });
});

describe('the systemd unit of docs/run.md', () => {
  test('is started again where docs/exit-codes.md says that this helps, and left alone elsewhere', () => {
    const [, helps = ''] = /Restarting helps after ([0-9, and]+);/.exec(read('docs/exit-codes.md')) ?? [];
    const [, prevents = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(read('docs/run.md')) ?? [];
    const ends = [exitCodes.done.code, exitCodes.interrupted.code, ...(helps.match(/[0-9]+/g) ?? []).map(Number)];
    const rest = Object.values(exitCodes).filter(({ code }) => !ends.includes(code));
    expect(prevents.split(' ').map(Number)).toEqual(rest.map(({ code }) => code));
  });
});

const documents = ['README.md', ...below('docs').filter((path) => path.endsWith('.md'))];

describe('every document', () => {
  test.each(documents)('%s points only at what exists', (path) => {
    const links = [...read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
    const missing = links
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(path), target)));
    expect(missing).toEqual([]);
  });

  test.each(documents)('%s names only commands that npm can run', (path) => {
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    for (const [, name] of read(path).matchAll(/npm run ([a-z:-]+)/g)) expect(scripts).toContain(name);
  });

  test.each([
    ['docs/README.md', 'docs', 1],
    ['docs/decisions/README.md', 'docs/decisions', 1],
  ])('is found from %s', (index, folder) => {
    const listed = new Set([...read(index).matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => join(folder, target)));
    const direct = documents.filter((path) => path !== index && dirname(path) === folder);
    expect(direct.filter((path) => !listed.has(path))).toEqual([]);
  });
});

describe('the suites', () => {
  test('every test file belongs to one', () => {
    const files = ['src', 'test', 'bench', 'workers', 'scripts']
      .flatMap(below)
      .filter((path) => /\.(test|spec)\.[cm]?[jt]sx?$/.test(path));
    const strays = files.filter(
      (path) => !suites.some(({ name }) => path.startsWith(`test/${name}/`) && path.endsWith('.test.ts')),
    );
    expect(strays.map((path) => relative('.', path))).toEqual([]);
    expect(files.length).toBeGreaterThan(0);
  });
});
