/**
 * Limits that decide whether records can be read: constants of the wire version, never settings, so that a replay
 * decides the same.
 */
export const batchLimits = {
  /** Most bytes that the records of one compressed batch may take: the largest command (16 MiB) fits several times. */
  expandedBytes: 64 * 1024 * 1024,
  /** Most headers of one record: in memory each takes fifty times the two bytes that an empty one takes on the wire. */
  headersOfRecord: 1024,
} as const;
