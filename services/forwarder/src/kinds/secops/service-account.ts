import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SinkSecretError } from '../../errors.ts';
import { httpUrl } from '../../settings/values.ts';

const SCOPE = 'https://www.googleapis.com/auth/malachite-ingestion';
const LIFETIME_S = 3600;

/** Key file of a service account, as Google issues it. */
export interface ServiceAccount {
  readonly client_email: string;
  /** PEM */
  readonly private_key: string;
  readonly private_key_id: string;
  readonly token_uri: string;
}

const serviceAccount: z.ZodType<ServiceAccount> = z.object({
  client_email: z.string().min(1).max(320),
  private_key: z.string().min(1).max(16_384),
  private_key_id: z.string().max(256).default(''),
  token_uri: httpUrl.refine((url) => /^https:|^http:\/\/127\./.test(url)),
});

/** Reads the file anew, so that the key can be replaced. Throws SinkSecretError, which shows nothing of the file. */
export function readServiceAccount(path: string): ServiceAccount {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new SinkSecretError(`file:${path}`, (cause as NodeJS.ErrnoException).code ?? 'it is not JSON');
  }
  const { data, success } = serviceAccount.safeParse(content);
  if (success) return data;
  throw new SinkSecretError(`file:${path}`, 'expected client_email, private_key and token_uri of a service account');
}

/** Returns a JSON Web Token that the account signs, to be exchanged for an access token. Throws SinkSecretError. */
export function assertionOf({ client_email, private_key, private_key_id, token_uri }: ServiceAccount): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'RS256', typ: 'JWT', kid: private_key_id };
  const claims = { iss: client_email, scope: SCOPE, aud: token_uri, iat: now, exp: now + LIFETIME_S };
  const signed = `${encode(header)}.${encode(claims)}`;
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(private_key, 'base64url')}`;
  } catch (cause) {
    throw new SinkSecretError('private_key', `it is no key of the service account ${client_email}`, { cause });
  }
}
