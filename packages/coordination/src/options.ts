import type { Log } from '@ringfence/base';

export interface SqliteOptions {
  /** Path of the file; ':memory:' keeps nothing. A damaged file is deleted: its content is rebuilt from the bus. */
  readonly path: string;
  readonly log?: Log;
}

export interface RedisOptions {
  /** redis://host:port/db, or rediss:// for TLS. It may contain a password, which is never logged. */
  readonly url: string;
  /** @default from the URL */
  readonly user?: string;
  /** @default from the URL */
  readonly password?: string;
  /** PEM of the CA that signed the server's certificate. @default the system's CAs */
  readonly ca?: string;
  /** PEM of a client certificate, with its key, if the server requires it. */
  readonly cert?: string;
  readonly key?: string;
  /** Prefix of all keys, so that several fleets can share a server. @default 'ringfence' */
  readonly prefix?: string;
  /** Deadline of a call in milliseconds. @default 2000 */
  readonly deadlineMs?: number;
  /** Lock on a running job in milliseconds: a job of a dead process can run again after it. @default 10000 */
  readonly lockMs?: number;
  readonly log?: Log;
}
