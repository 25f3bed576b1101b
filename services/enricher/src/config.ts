import type { KeyObject } from 'node:crypto';

/** Which keys a host's agent enrolled with. */
export interface Enrolment {
  /**
   * The agent's key with this id, if it was in force at `at`: µs since the epoch, when the bus took the record. Whoever knows but one key a host may leave
   * the rest out of account.
   */
  keyFor(hostId: string, keyId: string, at: number): KeyObject | undefined;
  /** Whether a key was taken back: then it is not on its way. @default none was */
  isRevoked?(keyId: string): boolean;
}

export interface EnricherOptions {
  /** Processes remembered per boot of a host, the ended ones first to go. @default 65,536 */
  readonly maxProcesses?: number;
  /** Opens for write remembered per boot of a host, the oldest first to go. @default 65,536 */
  readonly writtenFiles?: number;
  /** Ticks (seconds) that an ended process or container is kept for late events. @default 60 */
  readonly keptTicks?: number;
  /** Boots of hosts remembered; beyond it the one unheard for longest is forgotten. @default 4,096 */
  readonly maxBoots?: number;
  /** How long the enrolment of a host that sends already may be on its way, ms; 0: not at all. @default 0 */
  readonly enrolmentGraceMs?: number;
  /** How long a host may be without a tick before it is called silent, ms; 0: for ever. @default 0 */
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
