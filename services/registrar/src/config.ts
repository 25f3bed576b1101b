/** Settings of the registrar. */
export interface RegistrarOptions {
  /** Address it listens on. @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any free one. @default 7443 */
  readonly port?: number;
  /** DNS names and addresses that its clients know it by: its certificate holds for these. */
  readonly names: readonly string[];
  /** How long the certificates of agents and services are valid; they are renewed at two thirds. @default 30 */
  readonly certificateDays?: number;
  /** How long a signing key that another one has replaced stays good for what is still on its way, ms. @default 24 h */
  readonly retireAfterMs?: number;
  /** Refusals within a minute after which an address is not heard for the rest of it. @default 10 */
  readonly refusalsPerMinute?: number;
  /** Requests at work at once; further ones are told to come again. @default 64 */
  readonly maxRequests?: number;
  /** From the first byte of a request to its last, ms. @default 10 s */
  readonly requestTimeoutMs?: number;
  /** How often the topic is compared with the book, ms. @default 10 min */
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
    reconcileMs: options.reconcileMs ?? 600_000,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new RangeError(`registrar.${name} is ${value}: it must be above 0`);
  }
  if (names.length === 0) throw new RangeError('registrar.names is empty: name what its clients know it by');
  return Object.freeze({ host, port, names, ...numbers });
}
