import { isPersistenceError } from '../domain/errors.ts';

/** A failure for people: its code and message; its stack only where it is a fault of the program. */
export function failureText(error: unknown): string {
  if (isPersistenceError(error)) {
    const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : '';
    return `macp-persist: ${error.code}: ${error.message}${cause}`;
  }
  return `macp-persist failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
