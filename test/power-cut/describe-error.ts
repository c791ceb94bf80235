/** An error with everything that caused it, in one line. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    parts.push(at instanceof Error && 'code' in at ? `${String(at.code)} ${at.message}` : String(at));
  }
  return parts.join(' <- ');
}
