import type { z } from 'zod';
import { line, readSecret, secret } from '../settings/values.ts';

/** How a sink logs in by HTTP: by a user with a password, or by a token. */
export interface Credentials {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

/** The settings of Credentials. */
export const credentialShape: Readonly<Record<keyof Credentials, z.ZodOptional<z.ZodType<string>>>> = {
  /** User, with `password`. */
  user: line.optional(),
  /** Password of the user. */
  password: secret.optional(),
  /** Bearer token, instead of a user. */
  token: secret.optional(),
};

/** Returns the header, with the secrets read anew. Throws SinkSecretError. */
export function authorizationOf({ user, password, token }: Credentials): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${readSecret(token)}` };
  if (user === undefined && password === undefined) return {};
  const pair = `${user ?? ''}:${password === undefined ? '' : readSecret(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
