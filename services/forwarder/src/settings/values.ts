import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { SinkSecretError } from '../errors.ts';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** More than any token or password needs. */
const SECRET_MAX_BYTES = 64 * 1024;

/** A duration such as 500ms, 10s, 5m or 1d, in ms. */
export const duration = (min: string, max: string): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'expected a duration such as 500ms, 10s, 5m or 1d')
    .transform(parseDuration)
    .refine((ms) => ms >= parseDuration(min) && ms <= parseDuration(max), `expected ${min} to ${max}`);

function parseDuration(text: string): number {
  const [, count = '0', unit = 'ms'] = /^(\d+)(\D+)$/.exec(text) ?? [];
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}

export const filePath: z.ZodType<string> = z.string().max(4096).refine(isAbsolute, 'expected an absolute path');

/** http:// only on loopback, unless `plain`: tokens and alerts would travel unencrypted. */
export const httpUrl: z.ZodType<string> = z
  .string()
  .max(2048)
  .refine(isHttpUrl, 'expected an http:// or https:// URL without a user, password or fragment');

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${hash}` === '';
}

const LOOPBACK = /^(127\.|\[?::1\]?$|localhost$)/;

/** Returns whether a value is the URL of another host by a protocol without TLS. */
export function isPlainUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^(http|tcp|udp|smtp):\/\//.test(value) || !URL.canParse(value)) return false;
  return !LOOPBACK.test(new URL(value).hostname);
}

export const hostPort: z.ZodType<string> = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[1-9]\d{0,4}$/, 'expected host:port');

export const line: z.ZodType<string> = z
  .string()
  .regex(/^[^\p{Cc}]{1,1000}$/u, 'expected one line of text, up to 1,000 characters');

/** `file:PATH` or `env:NAME`: a secret in the file of a sink would be shown to everybody who reads the file. */
export const secret: z.ZodType<string> = z
  .string()
  .refine((text) => /^(file:\/[^\p{Cc}]{1,4096}|env:[A-Za-z_][A-Za-z0-9_]{0,127})$/u.test(text), {
    message: 'expected file:/PATH or env:NAME, where the secret is; the value is not shown',
    params: { isSecret: true },
  });

/** Returns the secret, read anew, so that it can be rotated. Throws SinkSecretError. */
export function readSecret(reference: string): string {
  const [source, name] = [reference.slice(0, reference.indexOf(':')), reference.slice(reference.indexOf(':') + 1)];
  const text = source === 'env' ? process.env[name] : readSecretFile(reference, name);
  const value = text?.trim() ?? '';
  if (value === '') throw new SinkSecretError(reference, 'it is empty');
  if (/\p{Cc}/u.test(value)) throw new SinkSecretError(reference, 'it has more than one line');
  return value;
}

function readSecretFile(reference: string, path: string): string {
  try {
    if (!statSync(path).isFile()) throw new SinkSecretError(reference, 'it is no file');
    const bytes = readFileSync(path);
    if (bytes.length > SECRET_MAX_BYTES) throw new SinkSecretError(reference, `it has ${bytes.length} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof SinkSecretError) throw error;
    throw new SinkSecretError(reference, (error as NodeJS.ErrnoException).code ?? String(error), { cause: error });
  }
}
