/** What stands in the place of a secret. */
export const redacted = '(secret)';

/**
 * `text` as it may be shown to people: user info and query of anything that looks like a URL are hidden, also in a
 * URL that is not well-formed, where nobody can tell what was meant as the password.
 */
export function withoutSecrets(text: string): string {
  const at = text.lastIndexOf('@');
  const visible =
    at === -1 ? text : `${/^[A-Za-z][A-Za-z0-9+.-]*:\/*/.exec(text)?.[0] ?? ''}${redacted}${text.slice(at)}`;
  const query = visible.indexOf('?');
  return query === -1 ? visible : `${visible.slice(0, query)}?${redacted}`;
}

/** A given value for a message about it: quoted, shortened, without secrets. */
export function shownValue(value: unknown): string {
  const text = withoutSecrets(typeof value === 'string' ? value : describe(value));
  const short = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return typeof value === 'string' ? JSON.stringify(short) : short;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
