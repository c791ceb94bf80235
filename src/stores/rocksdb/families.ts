/**
 * The column families of macp-storage, in the order in which the addon numbers them. Upstream cannot open a database
 * that has any other, so what is ours lies in `default`, which it never looks into. `receipts` is there since 0.13.0:
 * an earlier release does not open a database that has it.
 */
export const families = ['default', 'sessions', 'logs', 'receipts'] as const;

export type Family = (typeof families)[number];
