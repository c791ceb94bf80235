/** What two sorted lists hold under one key: one of them may have nothing there. */
export type Pair<Item> =
  | { readonly first: Item; readonly second: Item }
  | { readonly first: Item; readonly second: undefined }
  | { readonly first: undefined; readonly second: Item };

/** Goes through two lists side by side that are both sorted by `order`, without holding either. */
export async function* pairUp<Item>(
  first: AsyncIterable<Item>,
  second: AsyncIterable<Item>,
  order: (one: Item, other: Item) => number,
): AsyncGenerator<Pair<Item>> {
  const [one, other] = [first[Symbol.asyncIterator](), second[Symbol.asyncIterator]()];
  try {
    let [left, right] = await Promise.all([one.next(), other.next()]);
    for (;;) {
      if (left.done === true && right.done === true) return;
      const step = left.done === true ? 1 : right.done === true ? -1 : order(left.value, right.value);
      if (step < 0) yield { first: left.value, second: undefined };
      else if (step > 0) yield { first: undefined, second: right.value };
      else yield { first: left.value, second: right.value };
      [left, right] = await Promise.all([step <= 0 ? one.next() : left, step >= 0 ? other.next() : right]);
    }
  } finally {
    await Promise.all([one.return?.(), other.return?.()]);
  }
}
