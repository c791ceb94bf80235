import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import type { CommandShape } from '../../../src/cli/command.ts';
import { commands } from '../../../src/cli/commands.ts';
import { commandHelp, programHelp, usageOf } from '../../../src/cli/help.ts';
import { buildSettings } from '../../../src/compose/settings.ts';

const shapes = commands.map(({ shape }) => shape);

/** What docs/cli.md says of a command. */
function section(shape: CommandShape): string {
  const options = shape.options.map(
    ({ name, placeholder, description }) =>
      `| \`--${name}${placeholder === undefined ? '' : ` ${placeholder.replaceAll('|', '\\|')}`}\` | ${description} |`,
  );
  return [
    `### ${shape.name}`,
    '',
    `${shape.summary}.`,
    '',
    '```sh',
    usageOf(shape),
    ...shape.examples.flatMap(({ line, meaning }) => ['', `# ${meaning}`, `macp-persist ${line}`]),
    '```',
    ...(options.length === 0 ? [] : ['', '| option | meaning |', '|---|---|', ...options]),
    '',
  ].join('\n');
}

test('docs/cli.md tells of every command what the program does, and of no other', () => {
  const text = readFileSync(join(root, 'docs/cli.md'), 'utf8');
  expect(text).toContain(`\n${shapes.map(section).join('\n')}`);
  expect([...text.matchAll(/^### (.+)$/gm)].map(([, name]) => name)).toEqual(shapes.map(({ name }) => name));
});

describe.each(shapes)('$name', (shape) => {
  test('teaches with an example that begins with its own name', () => {
    expect(shape.examples.length).toBeGreaterThan(0);
    for (const { line, meaning } of shape.examples)
      expect([line, meaning]).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
    expect(shape.examples[0]?.line.startsWith(shape.name)).toBe(true);
  });

  test('names only settings that there are', () => {
    const keys = [...Object.keys(buildSettings()), '*'];
    for (const key of shape.settings) expect(keys).toContain(key);
  });

  test('has a help that fits on a screen and shows everything that can be given', () => {
    const help = commandHelp(shape, buildSettings());
    for (const { name } of shape.options) expect(help).toContain(`--${name}`);
    for (const { name } of shape.positionals) expect(help).toContain(name);
    expect(help).toContain('--json');
    // The one about the settings lists every setting.
    const settings = shape.name === 'config' ? Object.keys(buildSettings()).length : 0;
    expect(help.split('\n').length).toBeLessThan(70 + settings);
  });
});

test('the help of the program names every command', () => {
  const help = programHelp(commands);
  for (const { name } of shapes) expect(help).toContain(`  ${name}`);
});
