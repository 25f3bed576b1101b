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

const SPENT_KEPT_MS = 30 * 86_400_000;

/** What the holder of a token may become, once. */
export interface Grant {
  readonly roles: readonly Role[];
  /** null: anyone who isn't enrolled yet */
  readonly subject: string | null;
  /** DNS names and addresses that a service will serve under */
  readonly hosts: readonly string[];
  /** ms since the epoch */
  readonly expiresAt: number;
}

const grantSchema = z.object({
  roles: z.string().transform(parseRoles),
  subject: z.string().nullable(),
  hosts: z.array(z.string()),
  expiresAt: z.number(),
});

/**
 * One-time tokens: `tokens/open/<sha256>.json`, and `tokens/spent/` once used. The rename between the two is the use: of any number of requests, in any
 * number of processes, one succeeds, and a process killed right after it has spent the token.
 */
export class Tokens {
  readonly #open: string;
  readonly #spent: string;
  readonly #authority: Buffer;

  /** `authority`: sha256 of its certificate, which every token carries. */
  constructor(directory: string, authority: Buffer) {
    this.#open = `${directory}/tokens/open`;
    this.#spent = `${directory}/tokens/spent`;
    this.#authority = authority;
    for (const path of [this.#open, this.#spent]) mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** The token, which is kept nowhere. Throws IdentityError for a subject, role or host that can't be. */
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

  /** What this token may do, and no use of it yet. Throws RegistrarError when it is unknown, spent or expired. */
  look(secret: string, now: number): Grant {
    const path = this.#path(this.#open, secret);
    if (!existsSync(path)) throw this.#gone(secret);
    const grant = grantSchema.parse(JSON.parse(readText(path, true)));
    if (grant.expiresAt <= now)
      throw new RegistrarError('ERR_REGISTRAR_TOKEN', 'the token has expired: ask for another');
    return grant;
  }

  /** Uses it. Throws RegistrarError when another request was faster. */
  spend(secret: string): void {
    try {
      renameSync(this.#path(this.#open, secret), this.#path(this.#spent, secret));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw this.#gone(secret);
      throw error;
    }
    syncDirectory(this.#open);
    syncDirectory(this.#spent);
  }

  /** Notes what came of it. A spent token without this: the registrar died in between, and nobody was enrolled. */
  note(secret: string, outcome: object): void {
    writeSecret(this.#path(this.#spent, secret), JSON.stringify(outcome));
  }

  /** Removes what has expired, and what was spent a month ago. */
  sweep(now: number): void {
    for (const path of pathsIn(this.#spent)) {
      if (statSync(path).mtimeMs < now - SPENT_KEPT_MS) rmSync(path, { force: true });
    }
    for (const path of pathsIn(this.#open)) {
      const grant = grantSchema.safeParse(JSON.parse(readText(path, true)));
      if (!grant.success || grant.data.expiresAt < now - SPENT_KEPT_MS) rmSync(path, { force: true });
    }
  }

  #path(directory: string, secret: string): string {
    return `${directory}/${tokenHash(secret)}.json`;
  }

  #gone(secret: string): RegistrarError {
    const spent = existsSync(this.#path(this.#spent, secret));
    const why = spent ? 'the token has been used: one token enrols once' : 'the token is not known here';
    return new RegistrarError('ERR_REGISTRAR_TOKEN', `${why}; ask for another`);
  }
}

function pathsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${directory}/${name}`);
}
