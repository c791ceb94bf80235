/** Most milliseconds between two stops at points at which nobody had stopped before. */
const patience = 60_000;

/** The points at which somebody has to be stopped: of each await two. Runs side by side share them. */
export class Points {
  readonly #left: Set<string>;
  #madeAt = performance.now();

  constructor(awaits: readonly string[]) {
    this.#left = new Set(awaits.flatMap((name) => [`${name} (before)`, `${name} (after)`]));
  }

  get areAllMade(): boolean {
    return this.#left.size === 0;
  }

  /** Somebody was stopped there, and has gone on. */
  note(point: string): void {
    if (this.#left.delete(point)) this.#madeAt = performance.now();
  }

  /** Throws when nobody comes to what is left. */
  refuseStandstill(): void {
    if (this.areAllMade || performance.now() - this.#madeAt < patience) return;
    throw new Error(`for ${patience / 1_000} s nobody has come to any of\n  ${[...this.#left].join('\n  ')}`);
  }
}
