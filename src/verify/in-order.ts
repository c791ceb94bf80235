/**
 * What `work` makes of the items, in their order, at most `most` of them under way or waiting to be taken. Rejects with
 * the first failure in that order, once nothing runs any more.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  most: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      begun.push(settling(work(item)));
      const [oldest] = begun;
      if (oldest === undefined || begun.length < most) continue;
      yield await oldest;
      begun.shift();
    }
    for (let oldest = begun[0]; oldest !== undefined; [oldest] = begun) {
      yield await oldest;
      begun.shift();
    }
  } finally {
    await Promise.allSettled(begun);
  }
}

/** The same promise; its failure is seen by whoever awaits it, which may be later than it happens. */
function settling<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
