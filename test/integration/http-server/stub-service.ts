import { initialCursor } from '../../../src/domain/cursor.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { Service } from '../../../src/ports/service.ts';

function unused(): never {
  throw new PersistenceError('NOT_SUPPORTED', 'this service of the tests does not do that');
}

/** A service that does what `parts` do and refuses everything else. */
export function stubService(parts: Partial<Service> = {}): Service {
  return {
    listSessions: unused,
    showSession: unused,
    cursor: async () => initialCursor,
    snapshot: unused,
    receipt: unused,
    anchor: unused,
    log: unused,
    follow: unused,
    incoming: unused,
    dump: unused,
    publish: unused,
    listDeadLetters: unused,
    showDeadLetter: unused,
    skip: unused,
    repair: unused,
    status: unused,
    backup: unused,
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
    ...parts,
  };
}
