import type { Profile } from '@ringfence/rules';

export interface DetectorOptions {
  /** Rules of which profile are active. @default recommended */
  readonly profile?: Profile;
  /** Chains remembered per host. Beyond it the one idle for longest is closed, and counted. @default 10,000 */
  readonly maxChains?: number;
  /** A chain without a new alert for this long (event time) is closed, ms. @default 30 min */
  readonly chainIdleMs?: number;
  /** Score from which a chain is an incident. @default 40 */
  readonly incidentThreshold?: number;
  /** Alerts that an incident lists; the rest are counted. @default 200 */
  readonly maxAlerts?: number;
  /** Processes that tie one chain together; later ones join no more. @default 2,048 */
  readonly maxEntities?: number;
  /** Alerts of one rule about one process that are sent per minute of event time; the rest are counted in the incident. @default 20 */
  readonly repeatsPerMinute?: number;
  /**
   * The sensor tells of every connection within a host, so that what two processes do that talk to each other is one chain: an event for each. Without, only
   * those count that a rule asks for. @default false
   */
  readonly localPeers?: boolean;
  /** How long the enrolment of a service that writes already may be on its way, ms; 0: not at all. @default 0 */
  readonly keyGraceMs?: number;
  /** Which processes are Ringfence's own: they never join alerts. Must answer the same for the same process. @default none */
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
