import { createHash, randomBytes } from 'node:crypto';
import { IdentityError } from './errors.ts';

/**
 * `rft1.<256 random bits>.<SHA-256 of the authority's certificate>`, base64url. The secret authenticates the client;
 * the fingerprint authenticates the registrar.
 */
const TOKEN = /^rft1\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export interface Token {
  readonly secret: string;
  readonly authority: Buffer;
}

export function createToken(authority: Buffer): string {
  return `rft1.${randomBytes(32).toString('base64url')}.${authority.toString('base64url')}`;
}

/** Throws IdentityError. The message never contains the token. */
export function parseToken(text: string): Token {
  const [, secret, authority] = TOKEN.exec(text.trim()) ?? [];
  if (secret === undefined || authority === undefined) {
    throw new IdentityError(
      'ERR_IDENTITY_TOKEN',
      'this is not an enrolment token: expected rft1.….… as it was printed',
    );
  }
  return { secret, authority: Buffer.from(authority, 'base64url') };
}

/** Returns the hash that the registrar stores instead of the secret. */
export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
