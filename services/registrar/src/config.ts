import { LEAVE_GRACE_MS } from '@ringfence/identity';

/** Settings of the registrar. */
export interface RegistrarOptions {
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string;
  /** 0 selects a free port. @default 7443 */
  readonly port?: number;
  /** DNS names and addresses under which clients reach the registrar; its certificate is issued for them. */
  readonly names: readonly string[];
  /** Validity of agents' and services' certificates in days; they are renewed at two thirds. @default 30 */
  readonly certificateDays?: number;
  /** How long a replaced signing key stays valid for records that are still in transit, ms. @default 24 h */
  readonly retireAfterMs?: number;
  /** Refusals per minute after which an address is blocked for the rest of the minute. @default 10 */
  readonly refusalsPerMinute?: number;
  /** Maximum number of concurrent requests; further ones are refused as busy. @default 64 */
  readonly maxRequests?: number;
  /** Deadline for receiving a request, ms. @default 10 s */
  readonly requestTimeoutMs?: number;
  /** How long a revocation waits until the service has left its consumer groups, ms. @default LEAVE_GRACE_MS */
  readonly leaveGraceMs?: number;
  /** Interval between comparisons of the topic with the store, ms. @default 10 min */
  readonly reconcileMs?: number;
}

export type CompiledRegistrarOptions = Required<RegistrarOptions>;

/** Throws RangeError. */
export function compileRegistrarOptions(options: RegistrarOptions): CompiledRegistrarOptions {
  const { host = '127.0.0.1', port = 7443, names } = options;
  const numbers = {
    certificateDays: options.certificateDays ?? 30,
    retireAfterMs: options.retireAfterMs ?? 86_400_000,
    refusalsPerMinute: options.refusalsPerMinute ?? 10,
    maxRequests: options.maxRequests ?? 64,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    leaveGraceMs: options.leaveGraceMs ?? LEAVE_GRACE_MS,
    reconcileMs: options.reconcileMs ?? 600_000,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new RangeError(`registrar.${name} is ${value}: expected a number above 0`);
  }
  if (names.length === 0)
    throw new RangeError('registrar.names is empty: add the DNS names or addresses that clients use');
  return Object.freeze({ host, port, names, ...numbers });
}
