import type { Profile } from '@ringfence/rules';

export interface DetectorOptions {
  /** Profile of the active rules. @default recommended */
  readonly profile?: Profile;
  /** Chains per host. Beyond it, the chain that was idle for longest is closed and counted. @default 10,000 */
  readonly maxChains?: number;
  /** A chain without a new alert for this long (event time) is closed, ms. @default 30 min */
  readonly chainIdleMs?: number;
  /** Score from which a chain is an incident. @default 40 */
  readonly incidentThreshold?: number;
  /** Alerts that an incident lists; others are counted. @default 200 */
  readonly maxAlerts?: number;
  /** Keys that link alerts to one chain; later processes link none. @default 2,048 */
  readonly maxEntities?: number;
  /**
   * Alerts of one rule about one process that are sent per minute of event time; others are counted in the incident.
   * @default 20
   */
  readonly repeatsPerMinute?: number;
  /**
   * Has the sensor report every connection within a host, an event each, so that two processes that talk to each other
   * are one chain. Otherwise only connections that a rule asks for link processes. @default false
   */
  readonly localPeers?: boolean;
  /** How long a record waits for the enrolment of its writer, ms; 0: it does not wait. @default 0 */
  readonly keyGraceMs?: number;
  /** Returns whether a process is part of Ringfence, and so never links alerts. Must be pure. @default none */
  readonly isAgent?: (hostId: string, bootId: string, pid: number) => boolean;
}

export type CompiledDetectorOptions = Required<DetectorOptions>;

export function compileOptions(options: DetectorOptions = {}): CompiledDetectorOptions {
  const compiled = {
    profile: options.profile ?? 'recommended',
    maxChains: options.maxChains ?? 10_000,
    chainIdleMs: options.chainIdleMs ?? 30 * 60_000,
    incidentThreshold: options.incidentThreshold ?? 40,
    maxAlerts: options.maxAlerts ?? 200,
    maxEntities: options.maxEntities ?? 2048,
    repeatsPerMinute: options.repeatsPerMinute ?? 20,
    localPeers: options.localPeers ?? false,
    keyGraceMs: options.keyGraceMs ?? 0,
    isAgent: options.isAgent ?? (() => false),
  };
  for (const [name, value] of Object.entries(compiled)) {
    if (typeof value === 'number' && !(value >= (name === 'keyGraceMs' ? 0 : 1)))
      throw new RangeError(`detector.${name} is ${value}, expected 1 or more`);
  }
  return Object.freeze(compiled);
}
