import type { Readable, Writable } from 'node:stream';
import { systemClock } from '../compose/clock.ts';
import { type ExitName, exitNameOf } from '../compose/exit-codes.ts';
import { failureDocument, failureText } from '../compose/failure-text.ts';
import { buildSettings, loadConfiguration } from '../compose/settings.ts';
import { packageVersion } from '../compose/version.ts';
import { suggestion } from '../configuration/names.ts';
import type { Environment } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { parseArguments, wantsJson } from './arguments.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { commandHelp, programHelp } from './help.ts';
import { Output, ReaderGone } from './output.ts';

/** What the program is started with. */
export interface ProgramWorld {
  /** The words after the program's name. */
  readonly words: readonly string[];
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly input: Readable;
  readonly results: Writable;
  readonly remarks: Writable;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly interruption: AbortSignal;
}

/** Runs the program to its end: results are printed, failures told, and nothing is thrown. */
export async function runProgram(world: ProgramWorld): Promise<ExitName> {
  const asJson = wantsJson(world.words);
  const { results, remarks, environment } = world;
  const output = new Output({ results, remarks, asJson, environment, clock: systemClock });
  try {
    const exit = await runWords(world, output);
    await output.finish();
    return exit;
  } catch (error) {
    // Whoever closes the pipe early, as `head` does, has all that was wanted.
    if (error instanceof ReaderGone) return 'done';
    output.failure(asJson ? JSON.stringify(failureDocument(error)) : failureText(error));
    return exitNameOf(error);
  }
}

async function runWords(world: ProgramWorld, output: Output): Promise<ExitName> {
  const [first = '--help', second = ''] = world.words;
  if (first === '--version' || first === '-v') {
    await output.line(await packageVersion());
    return 'done';
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    await output.line(programHelp(commands));
    return world.words.length === 0 ? 'usage' : 'done';
  }
  const family = commands.filter(({ shape }) => shape.name.startsWith(`${first} `));
  if (family.length > 0 && (second === '--help' || second === '-h')) {
    await output.line(programHelp(family));
    return 'done';
  }
  const command = commands.find(({ shape }) => shape.name === first || shape.name === `${first} ${second}`);
  if (command === undefined) throw unknownCommand(first, second);
  const rest = world.words.slice(command.shape.name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    await output.line(commandHelp(command.shape, buildSettings()));
    return 'done';
  }
  return runCommand(command, rest, world, output);
}

async function runCommand(
  command: Command,
  words: readonly string[],
  world: ProgramWorld,
  output: Output,
): Promise<ExitName> {
  const { positionals, options, flags, mistakes } = parseArguments(command.shape, buildSettings(), words);
  const { environment, workingDirectory, input, interruption } = world;
  const configFile = options.get('config');
  const loading = loadConfiguration({ flags, configFile, environment, workingDirectory, mistakes });
  const { misconfigured } = command;
  if (misconfigured !== undefined) {
    const failure = await loading.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure !== undefined) return misconfigured(failure, output);
  }
  return command.run({ positionals, options, configuration: await loading, output, input, interruption });
}

function unknownCommand(first: string, second: string): PersistenceError {
  const names = commands.map(({ shape }) => shape.name);
  const group = names.filter((name) => name.startsWith(`${first} `));
  if (group.length > 0) {
    return new PersistenceError(
      'INVALID_CONFIGURATION',
      `${first} needs one of: ${group.map((name) => name.split(' ')[1]).join(', ')}`,
    );
  }
  if (first.startsWith('-')) {
    return new PersistenceError(
      'INVALID_CONFIGURATION',
      'the command comes first: macp-persist COMMAND [OPTIONS]; --help lists the commands',
    );
  }
  const typed = JSON.stringify(second === '' ? first : `${first} ${second}`);
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `there is no command ${typed}${suggestion(first, names)}; --help lists all`,
  );
}
