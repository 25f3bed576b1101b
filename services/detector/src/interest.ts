import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';

const AGAIN_MS = 60_000;

export interface AnnouncerOptions {
  readonly bus: Bus;
  /** name of this detector in the fleet */
  readonly instance: string;
  readonly key: SigningKey | null;
  readonly log: Log | undefined;
}

/** Says on ringfence.interest what this detector's rules can match: when it changes, every minute, and nothing more after a clean stop. */
export class InterestAnnouncer implements AsyncDisposable {
  readonly #options: AnnouncerOptions;
  readonly #timer: NodeJS.Timeout;
  #interest: Interest | undefined;
  /** one after the other, so that the last word is the newest */
  #saying: Promise<void> = Promise.resolve();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#say(), AGAIN_MS).unref();
  }

  /** Resolves when it is on the bus; a bus that is away is logged, and it is said again within a minute. */
  announce(interest: Interest): Promise<void> {
    this.#interest = interest;
    return this.#say();
  }

  #say(): Promise<void> {
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
    this.#saying = this.#saying.then(async () => {
      const said = value();
      if (said === undefined) return;
      try {
        await bus.produce([{ topic: TOPIC.interest, key: instance, value: said }]);
      } catch (err) {
        log?.warn(
          { err },
          'what the rules need could not be said: agents go on with what they know, and it is tried again',
        );
      }
    });
    return this.#saying;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#interest = undefined;
    await this.#produce(() => null);
  }
}
