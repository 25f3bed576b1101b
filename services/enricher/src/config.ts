import type { KeyObject } from 'node:crypto';

/** Which key a host's agent enrolled with. */
export interface Enrolment {
  keyFor(hostId: string): KeyObject | undefined;
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
}

export type CompiledEnricherOptions = Required<EnricherOptions>;

export function compileOptions(options: EnricherOptions = {}): CompiledEnricherOptions {
  const compiled = {
    maxProcesses: options.maxProcesses ?? 65_536,
    writtenFiles: options.writtenFiles ?? 65_536,
    keptTicks: options.keptTicks ?? 60,
    maxBoots: options.maxBoots ?? 4096,
  };
  for (const [name, value] of Object.entries(compiled)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`enricher.${name} is ${value}, expected 1 or more`);
  }
  return Object.freeze(compiled);
}
