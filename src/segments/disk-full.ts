/**
 * True when a write failed because the disk or the quota is exhausted. LevelDB passes on only the operating system's
 * words, and wraps what failed while opening as a `cause`.
 */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at ? at.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') return true;
    if (/No space left on device|Disk quota exceeded/.test(at.message)) return true;
  }
  return false;
}
