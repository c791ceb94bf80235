import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Mistake } from '../configuration/mistakes.ts';
import { type Configuration, resolveConfiguration, type SettingsFile } from '../configuration/resolve.ts';
import { type Environment, type Settings, settingsTable } from '../configuration/settings.ts';
import { queueAdapters, storeAdapters } from './adapters.ts';

/** The settings of this build. */
export function buildSettings(): Settings {
  return settingsTable({ stores: Object.keys(storeAdapters), queues: Object.keys(queueAdapters) });
}

/** The variable that names the configuration file, as `--config` does. */
const fileVariable = 'MACP_PERSIST_CONFIG';
const defaultFile = 'macp-persist.json';

export interface Invocation {
  /** Texts of settings by flag name, without the dashes. */
  readonly flags: ReadonlyMap<string, string>;
  /** The value of `--config`. */
  readonly configFile: string | undefined;
  readonly environment: Environment;
  readonly workingDirectory: string;
  /** What is wrong with the command line: reported together with what is wrong with the settings. */
  readonly mistakes: readonly Mistake[];
}

/** The effective settings of an invocation. Throws `ConfigurationError` with all mistakes at once. */
export async function loadConfiguration({
  flags,
  configFile,
  environment,
  workingDirectory,
  mistakes,
}: Invocation): Promise<Configuration<Settings>> {
  const found = await findSettingsFile(configFile, environment, workingDirectory);
  return resolveConfiguration(buildSettings(), {
    flags,
    environment,
    file: found.file,
    otherVariables: [fileVariable],
    mistakes: found.mistake === undefined ? mistakes : [...mistakes, found.mistake],
  });
}

interface FoundFile {
  readonly file?: SettingsFile;
  readonly mistake?: Mistake;
}

/** The file that `--config` or the environment names, else the default one where it exists. */
async function findSettingsFile(
  configFile: string | undefined,
  environment: Environment,
  workingDirectory: string,
): Promise<FoundFile> {
  const named = configFile ?? environment[fileVariable];
  const path = resolve(workingDirectory, named ?? defaultFile);
  try {
    return { file: { path, text: await readFile(path, 'utf8') } };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' && named === undefined) return {};
    const source = configFile !== undefined ? '--config' : named !== undefined ? fileVariable : path;
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    return { mistake: { source, problem: `${path}: ${reason}` } };
  }
}
