import type { Protocol } from './encode-reply.ts';
import type { Password } from './password.ts';
import { Transaction } from './transaction.ts';

/** The one user that there is. */
const onlyUser = 'default';

/** What one connection has come to: its password shown, its protocol, its name, its transaction. */
export class ClientState {
  /** Of the connection, never used again by this server. */
  readonly id: number;
  /** Empty: none. */
  name = '';
  protocol: Protocol = 2;
  transaction: Transaction | undefined;
  readonly #password: Password | undefined;
  #triesLeft: number;
  #isAuthenticated: boolean;
  #isEnding = false;

  /** `password` undefined: everybody is let in. */
  constructor(id: number, password: Password | undefined, passwordTries: number) {
    this.id = id;
    this.#password = password;
    this.#triesLeft = passwordTries;
    this.#isAuthenticated = password === undefined;
  }

  get needsPassword(): boolean {
    return this.#password !== undefined;
  }

  get isAuthenticated(): boolean {
    return this.#isAuthenticated;
  }

  /** True when nothing more of the client is taken: it gets the answers that it was to get, and is closed. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  end(): void {
    this.#isEnding = true;
  }

  /** Whether user and password are right. Who is wrong too often gets no other answer than that. */
  authenticate(user: Uint8Array, password: Uint8Array): boolean {
    const isRight = this.#password?.is(password) ?? true;
    if (isRight && Buffer.from(user).toString('latin1') === onlyUser) {
      this.#isAuthenticated = true;
      return true;
    }
    this.#triesLeft -= 1;
    if (this.#triesLeft <= 0) this.end();
    return false;
  }

  beginTransaction(): void {
    this.transaction = new Transaction();
  }

  /** As after connecting, but wrong passwords are not forgotten. */
  reset(): void {
    this.name = '';
    this.protocol = 2;
    this.transaction = undefined;
    this.#isAuthenticated = this.#password === undefined;
  }
}
