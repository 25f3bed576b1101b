import { endsWithin } from '@ringfence/base';

/** Services that are being revoked, and may confirm that they have left their consumer groups. */
export class Departures {
  readonly #expected = new Map<string, Set<() => void>>();

  /** Notes that the service has left. Has no effect unless it is being revoked. */
  confirm(subject: string): void {
    for (const resolve of this.#expected.get(subject) ?? []) resolve();
  }

  /** Expects a confirmation from now on. */
  expect(subject: string): Departure {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#expected.get(subject) ?? new Set();
    this.#expected.set(subject, waiting.add(resolve));
    return {
      within: (ms) => endsWithin(promise, ms),
      [Symbol.dispose]: () => {
        waiting.delete(resolve);
        if (waiting.size === 0) this.#expected.delete(subject);
      },
    };
  }
}

export interface Departure extends Disposable {
  /** Resolves to whether the service confirms within `ms`. */
  within(ms: number): Promise<boolean>;
}
