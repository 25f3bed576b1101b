import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';

const REPUBLISH_MS = 60_000;

export interface AnnouncerOptions {
  readonly bus: Bus;
  /** Name of this detector in the fleet */
  readonly instance: string;
  readonly key: SigningKey | null;
  readonly log: Log | undefined;
}

/** Publishes the interest of this detector's rules: when it changes, and every minute. A clean stop withdraws it. */
export class InterestAnnouncer implements AsyncDisposable {
  readonly #options: AnnouncerOptions;
  readonly #timer: NodeJS.Timeout;
  #interest: Interest | undefined;
  /** Records are produced one after the other, so that the last one is the newest */
  #producing: Promise<void> = Promise.resolve();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#publish(), REPUBLISH_MS).unref();
  }

  /** Resolves when the interest is on the bus, or the bus is away: then it is published again within a minute. */
  announce(interest: Interest): Promise<void> {
    this.#interest = interest;
    return this.#publish();
  }

  #publish(): Promise<void> {
    const { instance: detector, key } = this.#options;
    return this.#produce(() => {
      if (this.#interest === undefined) return undefined;
      const { openPathPrefixes: prefixes, wants, ...rest } = this.#interest;
      const lists = { openPathPrefixes: prefixes && [...prefixes], wants: wants && [...wants] };
      return encodeSigned('InterestRecord', { detector, at: Date.now() * 1000, ...rest, ...lists }, key);
    });
  }

  #produce(value: () => Buffer | null | undefined): Promise<void> {
    const { bus, instance, log } = this.#options;
    this.#producing = this.#producing.then(async () => {
      const bytes = value();
      if (bytes === undefined) return;
      try {
        await bus.produce([{ topic: TOPIC.interest, key: instance, value: bytes }]);
      } catch (err) {
        log?.warn(
          { err },
          'the interest could not be published; agents keep the last one, and it is published again within a minute',
        );
      }
    });
    return this.#producing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#interest = undefined;
    await this.#produce(() => null);
  }
}
