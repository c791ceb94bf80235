import { replay } from '../../src/compose/replay.ts';
import { valuesOf } from './pipeline.ts';

/** How many commands were replayed, and how long that took without reading the store for its digest. */
export interface Replayed {
  readonly commands: number;
  readonly seconds: number;
}

/** Replays the queue at a URL into a new level store, with the settings that `macp-persist replay` has by default. */
export async function replayed(queue: string, directory: string): Promise<Replayed> {
  const { tally, milliseconds } = await replay({
    values: valuesOf({}),
    from: queue,
    to: `level:${directory}`,
    base: undefined,
    until: {},
    selection: undefined,
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onProgress: () => undefined,
    onLost: () => Promise.resolve(),
    onRemark: (text) => console.error(text),
  });
  return { commands: tally.applied, seconds: milliseconds / 1000 };
}
