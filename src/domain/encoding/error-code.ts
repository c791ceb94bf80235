import { type ErrorCode, errorDefinitions } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';

/** Reads an error code, which is stored as text. Throws a RangeError for one that nobody defines. */
export function readErrorCode(reader: ByteReader): ErrorCode {
  const code = reader.text();
  if (!Object.hasOwn(errorDefinitions, code)) throw new RangeError(`code ${code}`);
  return code as ErrorCode;
}
