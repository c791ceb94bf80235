import { freePorts } from '../../scripts/services/ports.mjs';

/** A port of this machine at which nothing listens, and which no outgoing connection takes. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new TypeError('one port was asked for');
  return port;
}
