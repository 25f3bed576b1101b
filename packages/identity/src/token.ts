import { createHash, randomBytes } from 'node:crypto';
import { IdentityError } from './errors.ts';

/** `rft1.<256 random bits>.<sha256 of the authority's certificate>`, base64url: what proves the client to the registrar, and the registrar to the client. */
const TOKEN = /^rft1\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export interface Token {
  readonly secret: string;
  readonly authority: Buffer;
}

export function createToken(authority: Buffer): string {
  return `rft1.${randomBytes(32).toString('base64url')}.${authority.toString('base64url')}`;
}

/** Throws IdentityError. The message never holds the token. */
export function parseToken(text: string): Token {
  const [, secret, authority] = TOKEN.exec(text.trim()) ?? [];
  if (secret === undefined || authority === undefined) {
    throw new IdentityError('ERR_IDENTITY_TOKEN', 'this is no enrolment token: expected rft1.….… as it was printed');
  }
  return { secret, authority: Buffer.from(authority, 'base64url') };
}

/** What the registrar keeps of a token: it can't be turned back. */
export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
