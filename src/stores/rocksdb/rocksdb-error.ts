/** What the addon said of a failure. `code` is its name for it, such as `ROCKSDB_LOCKED`; the message is RocksDB's. */
export class RocksdbError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'RocksdbError';
    this.code = code;
  }
}

/** Waits for the addon, whose failures become a {@link RocksdbError}. */
export async function fromAddon<Value>(pending: Promise<Value>): Promise<Value> {
  try {
    return await pending;
  } catch (error) {
    const parts = error instanceof Error ? /^(ROCKSDB_[A-Z_]+) (.*)$/s.exec(error.message) : undefined;
    const [, code, message] = parts ?? [];
    if (code === undefined || message === undefined) throw error;
    throw new RocksdbError(code, message, { cause: error });
  }
}
