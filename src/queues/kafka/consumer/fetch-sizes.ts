const mebibyte = 1024 * 1024;

/**
 * How many bytes are fetched at a time and ahead. A long stretch of one partition, instead of a little of each: what is
 * committed together then belongs to fewer sessions, and of each of those one cursor is written.
 */
export const fetchSizes = {
  /** Most of one partition in one answer; a larger batch comes whole. */
  partition: 8 * mebibyte,
  /** Most of all partitions together in one answer. */
  answer: 8 * mebibyte,
  /** Once so much is held and not taken, nothing more is fetched. */
  held: 8 * mebibyte,
} as const;
