declare const brand: unique symbol;

/** `Base` with a name of its own, so that a session id is never passed where a writer is meant. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
