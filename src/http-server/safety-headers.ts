/** Headers of every answer: what is read here is for nobody's cache, and is what its content type says. */
export const safetyHeaders: Readonly<Record<string, string>> = Object.freeze({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
});
