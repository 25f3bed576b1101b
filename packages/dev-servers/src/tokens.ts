import { generateKeyPairSync, sign } from 'node:crypto';

/** Issues OAuth access tokens (JWT, RS256). */
export interface TokenIssuer {
  /** JSON Web Key Set: what its tokens are verified with */
  readonly jwks: string;
  /** A token for this principal. @param lifetimeSeconds negative: one that has expired. @default an hour */
  token(subject: string, lifetimeSeconds?: number): string;
}

/** Whom the tokens are for. */
export const AUDIENCE = 'kafka';
/** Whose they are. */
export const ISSUER = 'https://issuer.test';
const KEY_ID = 'test';

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A new issuer; the tokens of another are refused where this one's are taken. */
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
