import { goldenCommands, type Written } from './command-stream.ts';
import { generateCommands } from './generate.ts';
import { knowsReceipts, type Release } from './releases.ts';

/** Of everything generated: another one shows other combinations of the same limits. */
export const seed = Number(process.env['INTEROP_SEED'] ?? 20_260_601);

/** What every store is filled with, by what a release knows of. Made when asked for. */
export const streams: Readonly<Record<string, (release: Release) => readonly Written[]>> = {
  'sessions of macp-runtime 0.4.0': () => goldenCommands('v0.4.0'),
  'sessions of macp-runtime 0.13.0': () => goldenCommands('v0.13.0'),
  'the synthetic sessions': () => goldenCommands('edge'),
  '1,000 generated sessions': (release) =>
    generateCommands(seed, 1_000).filter(({ type }) => knowsReceipts(release) || !/receipt|anchor/.test(type)),
};
