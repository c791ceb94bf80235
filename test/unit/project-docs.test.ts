import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/project.mjs';
import { suites } from '../../scripts/suites.mjs';
import { settingsTable } from '../../src/configuration/settings.ts';
import { errorDefinitions } from '../../src/domain/errors.ts';

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

describe('docs/operate.md', () => {
  test('tells every setting with its default', () => {
    const section =
      read('docs/operate.md')
        .split('\n## ')
        .find((text) => text.startsWith('Settings')) ?? '';
    const settings = settingsTable({ stores: ['level'], queues: ['embedded'] });
    const defined = Object.entries(settings).map(([key, { fallback, description }]) => [
      `\`${key}\``,
      fallback === undefined ? '' : `\`${fallback}\``,
      description,
    ]);
    expect(rowsOf(section)).toEqual(defined);
  });
});

describe('the container', () => {
  test('the compose file starts a worker whose data outlives it', () => {
    const { services, volumes } = parse(read('docker-compose.yml'));
    expect(services.worker.command).toEqual(['worker']);
    expect(services.worker.volumes).toEqual(['data:/data']);
    expect(Object.keys(volumes)).toEqual(['data']);
    expect(read('Dockerfile')).toContain('MACP_PERSIST_DATA_DIR=/data');
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
