/** Whether what is awaited is under way, or is over and nothing was made of it yet. */
export type Phase = 'before' | 'after';

/** A line of standard input: whether the process works on any shards, or that it shall tell what it awaits. */
export type Order = 'works' | 'works on nothing' | 'tell';

/** A line of standard error. */
export type Said =
  /** By a process that stops itself: the await and the phase. */
  | { readonly msg: 'stops at an await'; readonly point: string }
  /** What is not over, and how often each. */
  | { readonly msg: 'awaits'; readonly pending: Readonly<Record<string, number>> };
