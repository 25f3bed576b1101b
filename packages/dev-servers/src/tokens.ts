import { generateKeyPairSync, sign } from 'node:crypto';

/** Issues OAuth access tokens (JWT, RS256). */
export interface TokenIssuer {
  /** JSON Web Key Set that verifies the tokens. */
  readonly jwks: string;
  /** Issues a token for this principal. @param lifetimeSeconds negative: an expired token. @default one hour */
  token(subject: string, lifetimeSeconds?: number): string;
}

/** Audience of the tokens. */
export const AUDIENCE = 'kafka';
/** Issuer of the tokens. */
export const ISSUER = 'https://issuer.test';
const KEY_ID = 'test';

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Creates an issuer with a new key. A verifier with its keys rejects the tokens of other issuers. */
export function createTokenIssuer(): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  return {
    jwks: JSON.stringify({ keys: [key] }),
    token(subject, lifetimeSeconds = 3600) {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        sub: subject,
        iss: ISSUER,
        aud: AUDIENCE,
        scope: 'kafka',
        iat: Math.min(now, now + lifetimeSeconds) - 1,
        exp: now + lifetimeSeconds,
      };
      const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })}.${encode(claims)}`;
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
}
