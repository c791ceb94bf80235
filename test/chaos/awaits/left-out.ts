/** Awaits at which no worker has to be stopped. */
export interface LeftOut {
  /** What their names begin with. */
  readonly begins: string;
  /** How many they are; undefined: a module, or a folder of them, whatever it awaits. */
  readonly count: number | undefined;
  readonly because: string;
  /** A worker may come there, where two things happen at once that nobody can have happen. */
  readonly byChance: boolean;
}

/** An await by what it begins with, and how many of its module begin so where that is more than one. */
type Awaits = string | readonly [begins: string, count: number];

export function isLeftOut(name: string, leftOut: readonly LeftOut[]): boolean {
  return leftOut.some(({ begins }) => name.startsWith(begins));
}

/** What of it is gone, or stands for awaits that nobody has thought of. */
export function mistaken(leftOut: readonly LeftOut[], awaits: readonly string[]): readonly string[] {
  return leftOut.flatMap(({ begins, count }) => {
    const found = awaits.filter((name) => name.startsWith(begins)).length;
    const isRight = count === undefined ? found > 0 : found === count;
    return isRight ? [] : [`${begins}: ${found}, not ${count ?? 'some'}`];
  });
}

/** `awaits`: those of the module that begin so; without any, all of it. */
function of(module: string, because: string, ...awaits: readonly Awaits[]): readonly LeftOut[] {
  if (awaits.length === 0) return [{ begins: module, count: undefined, because, byChance: false }];
  return awaits.map((one) => {
    const [begins, count] = typeof one === 'string' ? [one, 1] : one;
    return { begins: `${module}: await ${begins}`, count, because, byChance: false };
  });
}

function chance(module: string, ...awaits: readonly Awaits[]): readonly LeftOut[] {
  return of(module, 'by chance', ...awaits).map((one) => ({ ...one, byChance: true }));
}

const publishing = 'a worker publishes nothing';
const otherCommand = 'another command does that';
const archived = 'nothing is archived';
const nothingParked = 'no command of these runs is parked or refused';

/** Wherever commands are stored. */
const anywhere: readonly LeftOut[] = [
  ...of('queues/bullmq/backlog:', publishing),
  ...of('queues/lane', publishing, ['this.#changed.wait', 2], 'this.#ready()', 'this.#linger(', 'this.#write(', [
    'nextTurn()',
    2,
  ]),
  ...of('queues/lane', publishing, ['this.#options.', 2], 'ready', 'this.#run(0)'),
  ...of(
    'queues/bullmq/bullmq-queue',
    publishing,
    'this.#tellingOfChange(lane.publish(',
    'lane.whenWritable(',
    'whileWaiting(',
  ),
  ...of('queues/bullmq/job-writer', publishing, 'tryWithin(', 'this.#persist(', 'this.#attempt('),
  ...of('queues/bullmq/job-writer', publishing, 'clock.sleep(', 'this.#executed(', 'transaction.exec()'),
  ...of('queues/bullmq/job-writer', publishing, 'this.#options.mayWrite()'),
  // A Redis that dies while a queue is opened.
  ...chance('queues/bullmq/job-writer', 'writer.close()'),
  ...chance('queues/bullmq/open-bullmq-queue', ['waiting()', 3]),
  { begins: 'queues/bullmq/archive/', count: undefined, because: archived, byChance: true },
  ...of('segments/', archived),
  ...chance('queues/bullmq/open-bullmq-queue', ['archiving.', 2]),
  ...of('queues/bullmq/bullmq-queue', otherCommand, 'this.#parts.readArchive()'),
  ...of('queues/bullmq/replay-shards:', otherCommand),
  ...of('queues/bullmq/guard', otherCommand, "connection.command('HMGET'"),
  ...of('redis/durability', otherCommand, 'RedisConnection.open(options)', 'durabilityOf(connection)'),
  ...of('redis/connection', 'replicas are not waited for', 'this.#send(node, wait)'),
  ...of('pipeline/pipeline', otherCommand, 'this.#options.queue.bounds()'),
  ...of('ports/incomplete-copy', 'no store is a copy', 'store.readPositions('),
  ...of('pipeline/known-source', 'the shards were never changed', 'store.readPositions('),
  ...of('pipeline/consumption', nothingParked, 'retrier.run(() => copies.copy('),
  ...of('pipeline/decider', nothingParked, 'this.#loader.loadParked('),
  ...of('pipeline/knowledge-loader', nothingParked, ['this.#store.readParked', 2], 'this.#store.areFiled('),
  ...of('pipeline/knowledge-loader', nothingParked, 'this.#refuseChanged(', 'this.#store.readCursors([session])'),
  ...chance('pipeline/knowledge-loader', ['pending?.over', 2]),
  ...chance('pipeline/consumption', 'this.#decideAgainAfter(', ['this.#goBack(', 2]),
  ...chance('pipeline/consumption', 'this.#options.retrier.run(() => this.#options.decider.rewind('),
  ...chance('pipeline/decider', 'this.assign(['),
  ...chance('queues/open-or-close', ['opened.', 3]),
  ...chance('queues/patience', 'clock.sleep('),
  ...chance('queues/partition-ownership', 'clock.sleep('),
  ...chance('queues/bullmq/bullmq-consumer', 'this.#handler.assigned('),
  ...chance('queues/bullmq/read-ahead', ['this.#freed.wait(', 2]),
  ...chance('queues/bullmq/shard-feed', 'this.#reader.startAt('),
  ...chance('queues/bullmq/shard-reader', 'this.#page(offset ?? 0, 0)'),
];

const adopting = 'nobody else writes to the store';
const founding = 'the store is there when the first is stopped';
const reading = 'a worker reads no sessions';
const cluster = 'it is no cluster, and replicas are not waited for';

export const onRedis: readonly LeftOut[] = [
  ...anywhere,
  // Others have committed something by then.
  ...chance('pipeline/known-source', 'refuseShortStore('),
  ...of('stores/redis/adopt: for await', adopting),
  ...of('stores/redis/adopt', adopting, 'adoptPage(', 'reader.cursors(', 'examine(', 'give(', 'connection.script('),
  ...of('stores/redis/adopt', adopting, 'Promise.all(', 'readUpstreamEntries('),
  ...of('stores/redis/changed-elsewhere: for await sessionsWithCursor', adopting),
  ...of(
    'stores/redis/changed-elsewhere',
    adopting,
    'adoptSessions(',
    'survey(connection, keys, sessions) #2',
    'changeOf(',
  ),
  ...of('stores/redis/changed-elsewhere', adopting, 'give(', 'examine('),
  ...of('stores/redis/committer', cluster, 'this.#check(', 'this.#onDurable()', 'durabilityOf(', 'Promise.all(inputs'),
  ...of('stores/redis/committer', cluster, 'this.#connection.script(barrierScript', 'Promise.all(sockets'),
  ...of('stores/redis/committer', cluster, 'this.#connection.waitForReplicas('),
  ...of('stores/redis/layout', adopting, 'adoptChanges(', 'adoptSessions(', 'connection.script(exchangeScript'),
  ...chance('stores/redis/layout', 'found(', 'holdsAny(connection, ownKeys', ['readText(connection, keys) #', 2]),
  ...chance('stores/redis/layout', 'holdsAny(connection, [keys.home.sessions])', "connection.command('SET'"),
  ...of('stores/redis/redis-reader', nothingParked, "this.#connection.command('HVALS'"),
  ...of('stores/redis/redis-reader', nothingParked, "this.#connection.command('HMGET', key"),
  ...of('stores/redis/redis-reader', nothingParked, 'this.#inBuckets(keys', "this.#connection.command('ZMSCORE'"),
  ...of('stores/redis/redis-reader', reading, 'this.#members(buckets', 'this.#inBuckets(members'),
  ...of(
    'stores/redis/redis-reader',
    reading,
    "this.#connection.command('HMGET', bucket.filed",
    'Promise.all(this.#keys',
  ),
  ...of('stores/redis/redis-session-view:', reading),
  ...of('stores/redis/redis-store', reading, 'this.#guard(() => this.#reader.cursorPage(', 'this.close()'),
  ...of('stores/redis/upstream-sessions:', adopting),
];

const alone = 'nobody else has the store, so nobody takes a shard away';
const copying = 'nothing is copied';
const fullDisk = 'the disk is not full';

export const onLevel: readonly LeftOut[] = [
  ...anywhere,
  ...chance('pipeline/knowledge-loader', 'pending.over'),
  ...chance('pipeline/retrier', 'this.#wait(', 'this.#clock.sleep('),
  ...chance('queues/partition-ownership', 'this.#drain(', 'Promise.race(', 'settled(', 'isSettled'),
  ...chance('pipeline/consumption', 'nextTurn()', 'new Promise(', ['this.#settled', 2]),
  ...chance('pipeline/pipeline', 'this.#pause()', 'clock.sleep(', ['this.#released', 2]),
  ...of('embedded-store/backups: await this.#of.opened()', copying),
  ...of('embedded-store/backups', copying, ['refuseTaken(', 2], ['files.', 6], 'opened.copyTo('),
  ...of('embedded-store/check-plan', alone, 'records.getMany('),
  ...of('embedded-store/embedded-store', reading, 'this.#read(({ reader }) => reader.cursorPage('),
  ...of('embedded-store/embedded-store', fullDisk, 'this.#recover()', 'this.#engine.probeRoom()', 'this.open()'),
  ...chance('embedded-store/embedded-store', 'engine.close()', 'this.#opened?.engine.idle()', 'this.close()'),
  ...of('embedded-store/embedded-store: await this.#release()', fullDisk),
  ...of('embedded-store/record-reader', nothingParked, ['this.#values(', 2], 'this.#records.getMany(keys)'),
  ...of('embedded-store/record-reader', nothingParked, 'this.#records.hasMany('),
  ...of('embedded-store/record-reader: for await this.#records.pages(range)', reading),
  ...of('embedded-store/room-probe', fullDisk, 'files.open(', ['file.', 3], 'removeProbe('),
  ...of('embedded-store/sync-files:', copying),
  ...of('stores/level/copy-database:', copying),
  ...of('level/create-database', 'nobody else makes that store', 'ClassicLevel.destroy(draft) #2'),
  ...chance('stores/level/cleaner', ['this.#', 10]),
  ...of('stores/level/layout', founding, 'countTotals(', 'refusedHeaders('),
  ...of('stores/level/layout: for await', founding),
  ...chance('stores/level/level-engine', 'database.close()', 'this.#cleaner.idle()'),
  ...of('stores/level/level-session-view:', reading),
];
