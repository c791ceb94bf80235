import type { SessionId } from '../domain/identifiers.ts';
import type { DeadLetter } from '../domain/plan.ts';
import type { CopySource, SourcePosition, SourceSession } from '../ports/copy-source.ts';
import { type Selection, selectedSource, selects } from './selection.ts';

/** The selected sessions of a store, as a source of copies. */
export class SelectedSource implements CopySource {
  readonly name: string;
  readonly #whole: CopySource;
  readonly #selection: Selection;

  constructor(whole: CopySource, selection: Selection) {
    this.#whole = whole;
    this.#selection = selection;
    this.name = `some sessions of ${whole.name}`;
  }

  count(): Promise<number> {
    return this.#whole.count();
  }

  async *sessions(): AsyncGenerator<SessionId> {
    for await (const session of this.#whole.sessions()) if (selects(this.#selection, session)) yield session;
  }

  open(session: SessionId): Promise<SourceSession | undefined> {
    return this.#whole.open(session);
  }

  async positions(): Promise<readonly SourcePosition[]> {
    const positions = await this.#whole.positions();
    return positions.map((position) => ({ ...position, source: selectedSource(position.source, this.#selection) }));
  }

  /** None belongs to a session. */
  async *withoutSession(): AsyncGenerator<readonly DeadLetter[]> {}

  close(): Promise<void> {
    return this.#whole.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
