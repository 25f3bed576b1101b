import { bootMicros } from '@ringfence/host-kit';

/** Maximum validity of a command, µs: its id is remembered until it expires. */
const VALIDITY_MAX_US = 3600 * 1_000_000;
/** Steps that keep a clock right are smaller. */
const STEP_US = 60 * 1_000_000;

/** The clocks of a host, µs. */
export interface HostClock {
  /** since the epoch; root and time servers set it */
  readonly realtime: () => number;
  /** since the boot, suspended time included; no program can set it */
  readonly boottime: () => number;
}

export const HOST_CLOCK: HostClock = { realtime: () => Date.now() * 1000, boottime: bootMicros };

export type Validity = 'valid' | 'expired' | 'expires-too-late' | 'clock-set';

/**
 * Judges the expiry of commands by two times: by the host's clock, and by the time since the agent's start, which a
 * changed clock doesn't move. A command is valid if it is by one of them, so that setting the clock stops no kill.
 */
export class CommandValidity {
  readonly #clock: HostClock;
  /** Realtime minus boottime at the agent's start, µs */
  #offset: number;

  constructor(clock: HostClock = HOST_CLOCK) {
    this.#clock = clock;
    this.#offset = clock.realtime() - clock.boottime();
  }

  /** The earlier of the two times, µs since the epoch: nothing has expired before it. */
  now(): number {
    return Math.min(this.#clock.realtime(), this.#sinceStart());
  }

  #sinceStart(): number {
    return this.#clock.boottime() + this.#offset;
  }

  /** @param expiresAt µs since the epoch, of a command whose signature was verified */
  judge(expiresAt: number): Validity {
    const [realtime, sinceStart] = [this.#clock.realtime(), this.#sinceStart()];
    const validity = at(realtime, expiresAt);
    if (validity === 'valid') {
      // The clock was wrong at the start, and was corrected: a time behind it would let commands live longer.
      if (realtime > sinceStart + STEP_US) this.#offset = realtime - this.#clock.boottime();
      return validity;
    }
    if (at(sinceStart, expiresAt) === 'valid') return 'valid';
    return Math.abs(realtime - sinceStart) > STEP_US ? 'clock-set' : validity;
  }
}

function at(now: number, expiresAt: number): Exclude<Validity, 'clock-set'> {
  if (expiresAt <= now) return 'expired';
  return expiresAt > now + VALIDITY_MAX_US ? 'expires-too-late' : 'valid';
}
