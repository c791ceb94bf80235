import type { SessionId } from '../../domain/identifiers.ts';
import type { FileEffect } from './effects.ts';
import type { SessionPlace } from './examine-session.ts';
import type { ChangedSession } from './find-changes.ts';

type LogEffect = Extract<FileEffect, { readonly kind: 'append' | 'write' }>;

/** What the journal will have done to a session's log. */
interface Course {
  /** The last commit that begins the log anew, or removes it. */
  lastReset: number;
  /** The last commit that removes the session with all of its files. */
  lastDelete: number;
  /** The most bytes that the log can have had at any time since the last checkpoint. */
  largest: number;
}

/**
 * Looks at what lies in the files before the journal is done again: a crash of ours leaves in a log only what the journal
 * says, cut off, or zeros where a power cut took it. Anything else somebody wrote after the crash, who must not lose it.
 */
export class ReplayGuard {
  readonly #place: SessionPlace;
  readonly #courses = new Map<SessionId, Course>();
  readonly #seen = new Set<SessionId>();
  readonly #changed = new Map<SessionId, ChangedSession>();

  constructor(place: SessionPlace) {
    this.#place = place;
  }

  /** Sessions of which nothing was done again, because somebody else wrote to them. */
  get changed(): readonly ChangedSession[] {
    return [...this.#changed.values()];
  }

  /** To be told of all commits, before the first one is done again. */
  expect(effects: readonly FileEffect[], commit: number): void {
    for (const effect of effects) {
      const course = this.#courses.get(effect.session) ?? { lastReset: 0, lastDelete: 0, largest: 0 };
      this.#courses.set(effect.session, course);
      if (effect.kind === 'append') {
        course.largest = Math.max(course.largest, effect.offset + effect.bytes.length);
      } else if (effect.kind === 'write' && effect.file === 'log') {
        course.largest = Math.max(course.largest, effect.replaced, effect.bytes.length);
      }
      if (resetsLog(effect)) course.lastReset = commit;
      if (effect.kind === 'delete') course.lastDelete = commit;
    }
  }

  /** What is to be done again of a commit. */
  async admit(effects: readonly FileEffect[], commit: number): Promise<readonly FileEffect[]> {
    const admitted: FileEffect[] = [];
    for (const effect of effects) {
      const done = await this.#admit(effect, commit);
      if (done !== undefined) admitted.push(done);
    }
    return admitted;
  }

  async #admit(effect: FileEffect, commit: number): Promise<FileEffect | undefined> {
    const { session } = effect;
    const course = this.#courses.get(session);
    if (course !== undefined && !this.#seen.has(session)) await this.#lookAtSize(session, course);
    if (this.#changed.has(session)) return undefined;
    // Nothing of it is left by what follows, and its folder may be gone already.
    if (course !== undefined && course.lastDelete > commit) return undefined;
    if (!isLog(effect)) return effect;
    // What a later commit begins anew may lie there already, and must not be cut.
    if (course !== undefined && course.lastReset > commit) return undefined;
    return effect.kind === 'append' ? this.#admitAppend(effect) : this.#admitNewLog(effect);
  }

  async #lookAtSize(session: SessionId, { largest }: Course): Promise<void> {
    this.#seen.add(session);
    const { files, places } = this.#place;
    const size = (await files.status(places.file(session, 'log')))?.size ?? 0;
    if (largest > 0 && size > largest) this.#note(session, `has a log of ${size} bytes, of which ${largest} are ours`);
  }

  async #admitAppend(effect: Extract<FileEffect, { readonly kind: 'append' }>): Promise<FileEffect | undefined> {
    const found = await this.#read(effect.session, effect.offset, effect.bytes.length);
    if (found === undefined) this.#note(effect.session, `has a log of fewer than ${effect.offset} bytes`);
    else if (!couldBe(found, effect.bytes)) this.#note(effect.session, 'has entries that are not ours');
    else return effect;
    return undefined;
  }

  /** Where the new log lies already, with more behind it perhaps, it is only written over. */
  async #admitNewLog(effect: Extract<FileEffect, { readonly kind: 'write' }>): Promise<FileEffect> {
    const { session, bytes } = effect;
    const found = await this.#read(session, 0, bytes.length);
    const isThere = bytes.length > 0 && found !== undefined && Buffer.compare(found, bytes) === 0;
    return isThere ? { kind: 'append', session, offset: 0, bytes } : effect;
  }

  /** At most `length` bytes from `offset` on; undefined when the log ends before. */
  async #read(session: SessionId, offset: number, length: number): Promise<Buffer | undefined> {
    const { files, places } = this.#place;
    const path = places.file(session, 'log');
    const size = (await files.status(path))?.size ?? 0;
    if (size < offset) return undefined;
    const bytes = Buffer.allocUnsafe(Math.min(length, size - offset));
    if (bytes.length === 0) return bytes;
    await using file = await files.open(path, 'read');
    return bytes.subarray(0, await file.read(bytes, offset));
  }

  #note(session: SessionId, difference: string): void {
    this.#changed.set(session, { session, difference });
  }
}

function resetsLog(effect: FileEffect): boolean {
  return effect.kind === 'delete' || ((effect.kind === 'write' || effect.kind === 'remove') && effect.file === 'log');
}

function isLog(effect: FileEffect): effect is LogEffect {
  return effect.kind === 'append' || (effect.kind === 'write' && effect.file === 'log');
}

/** True when `found` is the beginning of `written`, or zeros in the place of parts of it. */
function couldBe(found: Buffer, written: Uint8Array): boolean {
  if (Buffer.compare(found, written.subarray(0, found.length)) === 0) return true;
  return found.every((byte, index) => byte === 0 || byte === written[index]);
}
