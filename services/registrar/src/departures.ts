import { endsWithin } from '@ringfence/base';

/** Services that are being revoked, and may confirm that they have left their consumer groups. */
export class Departures {
  readonly #expected = new Map<string, Set<() => void>>();
  readonly #closed = Promise.withResolvers<void>();

  /** Notes that the service has left. Has no effect unless it is being revoked. */
  confirm(subject: string): void {
    for (const resolve of this.#expected.get(subject) ?? []) resolve();
  }

  /** Expects a confirmation from now on. */
  expect(subject: string): Departure {
    const { promise, resolve } = Promise.withResolvers<void>();
    let confirmed = false;
    const confirm = (): void => {
      confirmed = true;
      resolve();
    };
    const waiting = this.#expected.get(subject) ?? new Set();
    this.#expected.set(subject, waiting.add(confirm));
    return {
      within: async (ms) => {
        await endsWithin(Promise.race([promise, this.#closed.promise]), ms);
        return confirmed;
      },
      [Symbol.dispose]: () => {
        waiting.delete(confirm);
        if (waiting.size === 0) this.#expected.delete(subject);
      },
    };
  }

  /** Ends all waits. */
  close(): void {
    this.#closed.resolve();
  }
}

export interface Departure extends Disposable {
  /** Resolves to whether the service has confirmed, after `ms` at the latest. */
  within(ms: number): Promise<boolean>;
}
