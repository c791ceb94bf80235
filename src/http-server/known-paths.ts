import type { FastifyInstance } from 'fastify';
import { PersistenceError } from '../domain/errors.ts';
import { ProblemError } from './problem.ts';

/** The paths that exist, with their methods. */
export class KnownPaths {
  readonly #paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** Learns of every route that is added to `app` from now on. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const path = this.#paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      this.#paths.set(url, path);
      for (const name of [method].flat()) path.methods.add(name);
    });
  }

  /** Why nothing answers at `url`: no such path, or none with this method. */
  whyNothing(method: string, url: string): PersistenceError {
    const path = url.replace(/\?.*$/s, '');
    const methods = [...this.#paths.values()].find(({ pattern }) => pattern.test(path))?.methods;
    if (methods === undefined)
      return new PersistenceError(
        'NO_SUCH_RESOURCE',
        'there is nothing at this path: /openapi.json tells what there is',
      );
    const allow = [...methods].sort().join(', ');
    const message = `${JSON.stringify(method)} is not possible at this path, only ${allow}`;
    return new ProblemError('NO_SUCH_RESOURCE', message, { status: 405, headers: { allow } });
  }
}

/** `/v1/sessions/:id` as a pattern of paths. Names of parameters and paths hold no other special characters. */
function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:[a-z]+/g, '[^/]*')}$`);
}
