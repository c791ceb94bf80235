import { ByteWriter } from '../../domain/encoding/byte-writer.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Key } from '../../embedded-store/record-keys.ts';
import { effectCodes } from './effects.ts';
import { type SessionFile, sessionFiles } from './places.ts';
import { type Form, forms } from './session-state.ts';

const lineFeed = 0x0a;
const startSize = 64 * 1024;
/** Memory of one larger commit is not kept for the next. */
const keptBytes = 16 * 1024 * 1024;

/** Writes the effects of one commit after another, each as bytes for the journal, into memory that is used again. */
export class EffectWriter {
  #out = new ByteWriter(startSize);

  /** Begins a commit, with `headerBytes` to be filled in later. */
  begin(headerBytes: number): void {
    if (this.#out.length > keptBytes) this.#out = new ByteWriter(startSize);
    this.#out.restart();
    this.#out.raw(new Uint8Array(headerBytes));
  }

  /** Header and effects, valid until the next commit begins. */
  finish(): Buffer {
    return this.#out.finish();
  }

  make(session: SessionId): void {
    this.#session(effectCodes.make, session);
  }

  append(session: SessionId, offset: number, entries: readonly Uint8Array[]): void {
    this.#session(effectCodes.append, session);
    this.#out.varint(offset);
    this.#lines(entries);
  }

  writeLog(session: SessionId, replaced: number, entries: readonly Uint8Array[]): void {
    this.#session(effectCodes.write, session);
    this.#out.byte(sessionFiles.indexOf('log'));
    this.#out.byte(forms.indexOf('verbatim'));
    this.#out.varint(replaced);
    this.#lines(entries);
  }

  writeDocument(session: SessionId, file: SessionFile, form: Form, bytes: Uint8Array): void {
    this.#session(effectCodes.write, session);
    this.#out.byte(sessionFiles.indexOf(file));
    this.#out.byte(forms.indexOf(form));
    this.#out.varint(0);
    this.#out.bytes(bytes);
  }

  remove(session: SessionId, file: SessionFile): void {
    this.#session(effectCodes.remove, session);
    this.#out.byte(sessionFiles.indexOf(file));
  }

  delete(session: SessionId): void {
    this.#session(effectCodes.delete, session);
  }

  put(key: Key, value: Uint8Array): void {
    this.#out.byte(effectCodes.put);
    this.#out.bytes(key);
    this.#out.bytes(value);
  }

  del(key: Key): void {
    this.#out.byte(effectCodes.del);
    this.#out.bytes(key);
  }

  clear({ gte, lt }: { readonly gte: Key; readonly lt: Key }): void {
    this.#out.byte(effectCodes.clear);
    this.#out.bytes(gte);
    this.#out.bytes(lt);
  }

  #session(code: number, session: SessionId): void {
    this.#out.byte(code);
    this.#out.text(session);
  }

  #lines(entries: readonly Uint8Array[]): void {
    this.#out.varint(entries.reduce((sum, entry) => sum + entry.length + 1, 0));
    for (const entry of entries) {
      this.#out.raw(entry);
      this.#out.byte(lineFeed);
    }
  }
}
