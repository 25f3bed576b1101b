/** What a driver says about itself; pino fits. */
export interface CoordinationLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface SqliteOptions {
  /** Of the file; ':memory:' keeps nothing. A damaged one is thrown away: what it held is rebuilt from the bus. */
  readonly path: string;
  readonly log?: CoordinationLog;
}

export interface RedisOptions {
  /** redis://host:port/db, or rediss:// for TLS. A password in it is used, and never logged. */
  readonly url: string;
  /** @default that of the url */
  readonly user?: string;
  /** @default that of the url */
  readonly password?: string;
  /** PEM of the authority that signed the server's certificate, where the system's don't know it. */
  readonly ca?: string;
  /** PEM of a client certificate and its key, where the server asks for one. */
  readonly cert?: string;
  readonly key?: string;
  /** Begins every key, so that several fleets can share a server. @default 'ringfence' */
  readonly prefix?: string;
  /** After which a call is given up, ms. @default 2 s */
  readonly deadlineMs?: number;
  /** How long a job in hand of a dead process stays with it, ms. @default 10 s */
  readonly lockMs?: number;
  readonly log?: CoordinationLog;
}
