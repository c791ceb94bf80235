/** Reads what follows `after` in one sorted source, at most `count` items; fewer only where it ends. */
export type ReadOn<Item> = (after: Item | undefined, count: number) => Promise<readonly Item[]>;

interface Source<Item> {
  readonly readOn: ReadOn<Item>;
  items: readonly Item[];
  at: number;
  ended: boolean;
}

/**
 * The first `limit` items of several sorted sources together. Of each source only a share is read at a time: with
 * `sources.length` sources of like size, about twice as many items as are asked for.
 */
export async function mergeSorted<Item>(
  readers: readonly ReadOn<Item>[],
  limit: number,
  compare: (one: Item, other: Item) => number,
): Promise<readonly Item[]> {
  const share = readers.length === 1 ? limit : Math.min(limit, Math.ceil((2 * limit) / readers.length) + 4);
  const sources = readers.map((readOn): Source<Item> => ({ readOn, items: [], at: 0, ended: false }));
  await Promise.all(sources.map((source) => refill(source, share)));
  const merged: Item[] = [];
  while (merged.length < limit) {
    const least = leastOf(sources, compare);
    if (least === undefined) return merged;
    merged.push(least.items[least.at] as Item);
    least.at += 1;
    if (least.at === least.items.length) await refill(least, share);
  }
  return merged;
}

async function refill<Item>(source: Source<Item>, count: number): Promise<void> {
  if (source.ended) return;
  source.items = await source.readOn(source.items.at(-1), count);
  source.at = 0;
  source.ended = source.items.length < count;
}

function leastOf<Item>(
  sources: readonly Source<Item>[],
  compare: (one: Item, other: Item) => number,
): Source<Item> | undefined {
  let least: Source<Item> | undefined;
  for (const source of sources) {
    if (source.at === source.items.length) continue;
    if (least === undefined || compare(source.items[source.at] as Item, least.items[least.at] as Item) < 0) {
      least = source;
    }
  }
  return least;
}
