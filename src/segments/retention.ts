import type { SegmentPlace } from './segment-writer.ts';
import type { Segments } from './segments.ts';

/** Consumed segments are removed once either is passed. */
export interface RetentionLimits {
  /** Age in ms of the youngest record of a segment. */
  readonly ageMs: number;
  /** Bytes of all segments together. */
  readonly bytes: number;
}

/** Whether the oldest segment is consumed, and too old or one too many. `consumed`: by partition the offset behind. */
export function oldestMayGo(
  segments: Segments,
  limits: RetentionLimits,
  consumed: readonly number[],
  now: number,
): boolean {
  const following = segments.after(segments.first)?.header;
  if (following === undefined) return false;
  const isConsumed = following.next.every((next, partition) => next <= (consumed[partition] ?? 0));
  return isConsumed && (following.begunAt <= now - limits.ageMs || segments.totalBytes > limits.bytes);
}

/** Removes the oldest segment: one at a time, so that a power cut cannot leave a hole in the row of segments. */
export async function removeOldest(
  { fileSystem, directory, isShared }: Pick<SegmentPlace, 'fileSystem' | 'directory' | 'isShared'>,
  segments: Segments,
): Promise<void> {
  const { path } = segments.first;
  segments.removeFirst();
  try {
    await fileSystem.remove(path);
  } catch (error) {
    // Somebody else who writes here may have removed it already.
    if (!isShared || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await fileSystem.syncDirectory(directory);
}
