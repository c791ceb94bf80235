import { spawnSync } from 'node:child_process';
import { Refusal } from './project.mjs';

/** What the newest release of macp-storage asks for. */
const oldest = { major: 1, minor: 89 };

/** Makes sure that there is a Rust toolchain. It is not installed: how it comes onto a machine is its owner's choice. */
export async function provideRust() {
  const { stdout } = spawnSync('rustc', ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /^rustc (\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  const isEnough = Number(major) > oldest.major || (Number(major) === oldest.major && Number(minor) >= oldest.minor);
  if (isEnough && spawnSync('cargo', ['--version']).status === 0) return;
  throw new Refusal(
    `Rust ${oldest.major}.${oldest.minor} or newer, with cargo, is needed; see https://rustup.rs. ${stdout ? `This is ${stdout.trim()}.` : ''}`.trim(),
  );
}

/**
 * Runs cargo, and shows what it says. Throws a Refusal when it fails, or takes longer than it may.
 *
 * @param {readonly string[]} parameters
 * @param {{ directory: string, environment: Readonly<Record<string, string>>, minutes: number, what: string }} options
 */
export function runCargo(parameters, { directory, environment, minutes, what }) {
  const { status, signal, error } = spawnSync('cargo', parameters, {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: minutes * 60_000,
  });
  if (status === 0) return;
  const reason = signal === null ? (error?.message ?? `cargo exited with ${status}`) : `not done in ${minutes} minutes`;
  throw new Refusal(`${what} could not be built: ${reason}.`);
}
