import type { KeyObject } from 'node:crypto';

/** The signing keys that the agents of hosts are enrolled with. */
export interface Enrolment {
  /**
   * Returns the agent's key with this id if it was valid at `at`: µs since the epoch, when the bus took the record. An
   * implementation with one key per host may ignore `keyId` and `at`.
   */
  keyFor(hostId: string, keyId: string, at: number): KeyObject | undefined;
  /** Returns whether a key was revoked: then there is no point in waiting for its enrolment. @default none was */
  isRevoked?(keyId: string): boolean;
}

export interface EnricherOptions {
  /** Processes per boot of a host; ended ones are evicted first. @default 65,536 */
  readonly maxProcesses?: number;
  /** Files opened for writing per boot of a host; the oldest are evicted first. @default 65,536 */
  readonly writtenFiles?: number;
  /** Ticks (seconds) for which an ended process or container is kept for late events. @default 60 */
  readonly keptTicks?: number;
  /** Boots of all hosts; the one that has been inactive for longest is evicted first. @default 4,096 */
  readonly maxBoots?: number;
  /** Grace period for the enrolment of a host that sends batches already, ms; 0: none. @default 0 */
  readonly enrolmentGraceMs?: number;
  /** Time without a tick after which a host is silent, ms; 0: never. @default 0 */
  readonly silentAfterMs?: number;
}

export type CompiledEnricherOptions = Required<EnricherOptions>;

export function compileOptions(options: EnricherOptions = {}): CompiledEnricherOptions {
  const compiled = {
    maxProcesses: options.maxProcesses ?? 65_536,
    writtenFiles: options.writtenFiles ?? 65_536,
    keptTicks: options.keptTicks ?? 60,
    maxBoots: options.maxBoots ?? 4096,
    enrolmentGraceMs: options.enrolmentGraceMs ?? 0,
    silentAfterMs: options.silentAfterMs ?? 0,
  };
  for (const [name, value] of Object.entries(compiled)) {
    if (!Number.isSafeInteger(value) || value < (name.endsWith('Ms') ? 0 : 1))
      throw new RangeError(`enricher.${name} is ${value}, expected 1 or more`);
  }
  return Object.freeze(compiled);
}
