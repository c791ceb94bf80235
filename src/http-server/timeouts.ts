/** How long a server bears with slow clients, in milliseconds. */
export interface ServerTimeouts {
  /** For the headers of a request. */
  readonly headers: number;
  /** For a whole request, its body included. */
  readonly request: number;
  /** On a connection where neither side gets anything across, for instance because the client reads nothing. */
  readonly silence: number;
  /** For the next request on a connection. */
  readonly betweenRequests: number;
  /** How often connections are looked at for the first two. */
  readonly checkInterval: number;
}

/** A wait of the longest kind, one minute, is no silence. */
export const serverTimeouts: ServerTimeouts = Object.freeze({
  headers: 10_000,
  request: 60_000,
  silence: 120_000,
  betweenRequests: 65_000,
  checkInterval: 1_000,
});
