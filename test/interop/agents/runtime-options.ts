import type { RuntimeOptions } from '../runtime.ts';
import type { UpstreamPlace } from '../storage-program.ts';
import { knowingAgents, recordedStories } from './stories.ts';

/** What the clocks of runtimes and agents show, always: so what runtimes write depends on what they are told alone. */
export const clock = Date.UTC(2026, 10, 24, 12);

/** The newest runtime for the agents of the recorded stories. */
export function runtimeOn(store: UpstreamPlace): RuntimeOptions {
  return {
    release: '0.13.0',
    store,
    startedAt: clock,
    clockStands: true,
    environment: knowingAgents(recordedStories()),
  };
}
