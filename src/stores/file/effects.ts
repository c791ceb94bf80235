import type { SessionId } from '../../domain/identifiers.ts';
import type { Key } from '../../embedded-store/record-keys.ts';
import { type SessionFile, sessionFiles } from './places.ts';
import { type Form, forms } from './session-state.ts';

/** What a commit does to a session's files. Each may be done again, whatever part of it was done before. */
export type FileEffect =
  | { readonly kind: 'make'; readonly session: SessionId }
  /** `bytes` from `offset` on, where the file ends now. */
  | { readonly kind: 'append'; readonly session: SessionId; readonly offset: number; readonly bytes: Uint8Array }
  /** A new file in the place of one of `replaced` bytes; 0 also where nobody counts them. */
  | {
      readonly kind: 'write';
      readonly session: SessionId;
      readonly file: SessionFile;
      readonly form: Form;
      readonly replaced: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'remove'; readonly session: SessionId; readonly file: SessionFile }
  /** The folder with all that is in it. */
  | { readonly kind: 'delete'; readonly session: SessionId };

/** What a commit does to the store's own records. `clear` removes those from `gte` to before `lt`. */
export type RecordEffect =
  | { readonly kind: 'put'; readonly key: Key; readonly value: Uint8Array }
  | { readonly kind: 'del'; readonly key: Key }
  | { readonly kind: 'clear'; readonly gte: Key; readonly lt: Key };

/** One commit, as the journal keeps it. */
export interface Effects {
  /** Those of one session stand together, in the order in which they are to be done. */
  readonly files: readonly FileEffect[];
  readonly records: readonly RecordEffect[];
}

export const effectCodes = {
  make: 1,
  append: 2,
  write: 3,
  remove: 4,
  delete: 5,
  put: 6,
  del: 7,
  clear: 8,
} as const;

const kinds = new Map(Object.entries(effectCodes).map(([kind, code]) => [code, kind as keyof typeof effectCodes]));

/** Reads what an `EffectWriter` wrote. The bytes of the effects are parts of `payload`. Throws a RangeError. */
export function readEffects(payload: Buffer): Effects {
  const reader = new PartReader(payload);
  const files: FileEffect[] = [];
  const records: RecordEffect[] = [];
  while (!reader.atEnd) {
    const code = reader.byte();
    const kind = kinds.get(code as (typeof effectCodes)[keyof typeof effectCodes]);
    switch (kind) {
      case 'make':
      case 'delete':
        files.push({ kind, session: reader.session() });
        break;
      case 'append':
        files.push({ kind, session: reader.session(), offset: reader.varint(), bytes: reader.part() });
        break;
      case 'write': {
        const session = reader.session();
        const file = reader.one(sessionFiles);
        const form = reader.one(forms);
        files.push({ kind, session, file, form, replaced: reader.varint(), bytes: reader.part() });
        break;
      }
      case 'remove':
        files.push({ kind, session: reader.session(), file: reader.one(sessionFiles) });
        break;
      case 'put':
        records.push({ kind, key: reader.part(), value: reader.part() });
        break;
      case 'del':
        records.push({ kind, key: reader.part() });
        break;
      case 'clear':
        records.push({ kind, gte: reader.part(), lt: reader.part() });
        break;
      default:
        throw new RangeError(`effect ${code} is unknown`);
    }
  }
  return { files, records };
}

/** Reads without copying. */
class PartReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('an effect is cut short');
    this.#at += 1;
    return byte;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  part(): Buffer {
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('an effect is cut short');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  session(): SessionId {
    return this.part().toString('utf8') as SessionId;
  }

  one<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[this.byte()];
    if (choice === undefined) throw new RangeError('an unknown choice');
    return choice;
  }
}
