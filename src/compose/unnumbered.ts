import type { Logger } from 'pino';
import { type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { noEpoch, type SessionId } from '../domain/identifiers.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { Service } from '../ports/service.ts';
import { openAccess } from './access.ts';
import { isExclusive, queueAddress, storeAddress, storeExists } from './open.ts';
import { isUpstreams } from './upstream.ts';

const askedAtOnce = 16;

/** What is to be published, and where the workers' store is. */
export interface UnnumberedCheck {
  readonly values: Values;
  readonly logger: Logger;
  readonly source: CopySource;
  /** Told what could not be looked at. */
  readonly onRemark: (text: string) => void;
}

/**
 * Refuses to publish sessions that the configured store, as far as there is one, holds as macp-runtime wrote them: they
 * belong to no writer yet, so the commands would open them, and their logs would stand there twice. Where there is no
 * store, but others consume the queue, that is told: one elsewhere cannot be looked at. Throws `INVALID_INPUT`, or what
 * keeps the store from being read.
 */
export async function refuseUnnumbered({ values, logger, source, onRemark }: UnnumberedCheck): Promise<void> {
  const address = storeAddress(values);
  const place = showAddress(address);
  if (address.kind === 'memory' || !(await somethingLies(address, values))) {
    if (!isExclusive(queueAddress(values))) onRemark(notLookedAt(place));
    return;
  }
  if (await isUpstreams(address, values)) throw unnumbered(`macp-runtime has written into the store at ${place}`);
  await using access = await openAccess({ values, logger, purpose: 'read' });
  const { service } = access;
  const { sessions: some, next } = await service.listSessions({ limit: 1 });
  if (some.length === 0 && next === null) return;
  for await (const sessions of inGroups(source.sessions())) {
    const found = await Promise.all(sessions.map((session) => isUnnumbered(session, service)));
    const first = sessions.find((_, index) => found[index] === true);
    if (first === undefined) continue;
    throw unnumbered(`the store at ${place} holds session ${JSON.stringify(first)} as macp-runtime wrote it`);
  }
}

async function somethingLies(address: StoreAddress, values: Values): Promise<boolean> {
  return (await isUpstreams(address, values)) || (await storeExists(address, values));
}

async function isUnnumbered(session: SessionId, service: Service): Promise<boolean> {
  const { presence, epoch } = await service.cursor(session);
  return presence === 'known' && epoch === noEpoch;
}

async function* inGroups(sessions: AsyncIterable<SessionId>): AsyncGenerator<readonly SessionId[]> {
  let group: SessionId[] = [];
  for await (const session of sessions) {
    group.push(session);
    if (group.length < askedAtOnce) continue;
    yield group;
    group = [];
  }
  yield group;
}

function notLookedAt(place: string): string {
  return (
    `There is no store at ${place} to look into. Where the store that consumes this queue was copied or adopted from ` +
    'that runtime, logs of sessions that no writer has claimed since will stand there twice.'
  );
}

function unnumbered(why: string): PersistenceError {
  return new PersistenceError(
    'INVALID_INPUT',
    `${why}, without numbers: commands would add its log a second time. A writer that claims such a session goes on ` +
      'from what is there; for commands, name a store without it',
  );
}
