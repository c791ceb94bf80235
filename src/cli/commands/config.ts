import { showConfiguration } from '../../configuration/show.ts';
import type { Command } from '../command.ts';

export const config: Command = {
  shape: {
    name: 'config',
    summary: 'Show every setting, its value and where that came from',
    positionals: [],
    options: [],
    settings: ['*'],
    examples: [
      { line: 'config', meaning: 'Secrets are hidden' },
      { line: 'config --data-dir /var/lib/macp --json', meaning: 'What these flags would mean' },
    ],
  },
  async run({ configuration, options, output }) {
    const shown = showConfiguration(configuration);
    if (options.has('json')) {
      await output.json(
        Object.fromEntries(shown.map(({ key, value, origin }) => [key, { value: value ?? null, from: origin.name }])),
      );
      return 'done';
    }
    const keyWidth = Math.max(...shown.map(({ key }) => key.length));
    const valueWidth = Math.max(...shown.map(({ value }) => (value ?? unset).length));
    for (const { key, value, origin } of shown) {
      await output.line(`${key.padEnd(keyWidth)}  ${(value ?? unset).padEnd(valueWidth)}  ${origin.name}`);
    }
    return 'done';
  },
};

const unset = '(not set)';
