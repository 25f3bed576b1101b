import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import {
  checkHosts,
  checkSubject,
  createToken,
  parseRoles,
  parseToken,
  readText,
  syncDirectory,
  tokenHash,
  writeSecret,
} from '@ringfence/identity';
import type { Role } from '@ringfence/wire';
import { z } from 'zod';
import { RegistrarError } from './errors.ts';

const SPENT_RETENTION_MS = 30 * 86_400_000;

/** The subject, roles and hosts that a token allows to enrol. */
export interface Grant {
  readonly roles: readonly Role[];
  /** Null allows any subject that is not enrolled yet */
  readonly subject: string | null;
  /** DNS names and addresses of a service that accepts connections */
  readonly hosts: readonly string[];
  /** Milliseconds since the epoch */
  readonly expiresAt: number;
}

const grantSchema = z.object({
  roles: z.string().transform(parseRoles),
  subject: z.string().nullable(),
  hosts: z.array(z.string()),
  expiresAt: z.number(),
});

/**
 * One-time tokens: `tokens/open/<sha256>.json`, moved to `tokens/spent/` when used. The rename is the use: of
 * concurrent requests in any process only one succeeds, and a process killed right after it has spent the token.
 */
export class TokenStore {
  readonly #open: string;
  readonly #spent: string;
  readonly #authority: Buffer;

  /** `authority` is the SHA-256 of the authority's certificate, which every token carries. */
  constructor(directory: string, authority: Buffer) {
    this.#open = `${directory}/tokens/open`;
    this.#spent = `${directory}/tokens/spent`;
    this.#authority = authority;
    for (const path of [this.#open, this.#spent]) mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** Creates and returns a token, storing only its hash. Throws IdentityError for an invalid subject, role or host. */
  create(grant: Grant): string {
    const { roles, subject, hosts, expiresAt } = grant;
    parseRoles(roles.join(','));
    if (subject !== null) checkSubject(subject, roles);
    checkHosts(hosts);
    this.sweep(Date.now());
    const token = createToken(this.#authority);
    const path = this.#path(this.#open, parseToken(token).secret);
    writeSecret(path, JSON.stringify({ roles: roles.join(','), subject, hosts, expiresAt }));
    return token;
  }

  /** Returns the grant of a token without spending it. Throws RegistrarError when it is unknown, spent or expired. */
  find(secret: string, now: number): Grant {
    const path = this.#path(this.#open, secret);
    if (!existsSync(path)) throw this.#unusable(secret);
    const grant = grantSchema.parse(JSON.parse(readText(path, true)));
    if (grant.expiresAt <= now)
      throw new RegistrarError('ERR_REGISTRAR_TOKEN', 'the token has expired: create a new one');
    return grant;
  }

  /** Spends the token. Throws RegistrarError when another request has already spent it. */
  spend(secret: string): void {
    try {
      renameSync(this.#path(this.#open, secret), this.#path(this.#spent, secret));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw this.#unusable(secret);
      throw error;
    }
    syncDirectory(this.#open);
    syncDirectory(this.#spent);
  }

  /** Records who enrolled with a token. A spent token without an outcome means that the registrar was stopped. */
  recordOutcome(secret: string, outcome: object): void {
    writeSecret(this.#path(this.#spent, secret), JSON.stringify(outcome));
  }

  /** Removes tokens that expired or were spent more than 30 days ago. */
  sweep(now: number): void {
    for (const path of pathsIn(this.#spent)) {
      if (statSync(path).mtimeMs < now - SPENT_RETENTION_MS) rmSync(path, { force: true });
    }
    for (const path of pathsIn(this.#open)) {
      const grant = grantSchema.safeParse(JSON.parse(readText(path, true)));
      if (!grant.success || grant.data.expiresAt < now - SPENT_RETENTION_MS) rmSync(path, { force: true });
    }
  }

  #path(directory: string, secret: string): string {
    return `${directory}/${tokenHash(secret)}.json`;
  }

  #unusable(secret: string): RegistrarError {
    const spent = existsSync(this.#path(this.#spent, secret));
    const problem = spent ? 'the token has already been used' : 'the token is unknown';
    return new RegistrarError('ERR_REGISTRAR_TOKEN', `${problem}: create a new one`);
  }
}

function pathsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${directory}/${name}`);
}
