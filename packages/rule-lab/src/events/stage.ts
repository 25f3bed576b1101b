import type { SyntheticHost } from '@ringfence/synthetic';

/**
 * How the judge treats the events of a batch. `background`: they set up the host; `judged`: rules see them; `written`:
 * they are the event that the test describes.
 */
export type Role = 'background' | 'judged' | 'written';

/** A synthetic host whose events go out in batches of one role each. */
export class Stage {
  readonly host: SyntheticHost;
  readonly #send: (batch: Buffer, role: Role) => void;
  #role: Role = 'background';

  constructor(host: SyntheticHost, send: (batch: Buffer, role: Role) => void) {
    this.host = host;
    this.#send = send;
  }

  /** The next events have this role. */
  begin(role: Role): void {
    if (role !== this.#role) this.flush();
    this.#role = role;
  }

  /** Sends the events so far. */
  flush(): void {
    if (this.host.count > 0) this.#send(this.host.batch(), this.#role);
  }
}
