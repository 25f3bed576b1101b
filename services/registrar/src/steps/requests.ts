import { verify } from 'node:crypto';
import { type Handover, parseRoles } from '@ringfence/identity';
import { keyIdOf, type Role } from '@ringfence/wire';
import { z } from 'zod';
import { readSigningKey } from '../enrolment-store.ts';
import { RegistrarError } from '../errors.ts';

/** Latest time that a Date can hold, ms since the epoch */
const MAX_TIME_MS = 8.64e15;

const base64String = (maxChars: number): z.ZodString =>
  z
    .string()
    .max(maxChars)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/);

interface KeyRequest {
  /** PEM (PKCS#10) */
  readonly csr: string;
  /** Ed25519, SPKI DER, base64 */
  readonly signingPublicKey: string;
  /** Signature of `csr` by that key; proves possession of its private half */
  readonly proof: string;
}

export interface RenewRequest extends KeyRequest {
  /** Consent of the enrolled key, when `signingPublicKey` is another one. An agent of 0.1.0 sends none */
  readonly handover?: Handover | undefined;
}

export interface EnrolRequest extends KeyRequest {
  readonly token: string;
  readonly subject: string;
  readonly roles: readonly Role[];
}

const signingFields = { csr: z.string().max(8192), signingPublicKey: base64String(128), proof: base64String(128) };
const renewSchema: z.ZodType<RenewRequest> = z.strictObject({
  ...signingFields,
  handover: z.strictObject({ at: z.number().int().min(0).max(MAX_TIME_MS), signature: base64String(128) }).optional(),
});
const enrolSchema: z.ZodType<EnrolRequest> = z.strictObject({
  ...signingFields,
  token: z.string().length(43),
  subject: z.string().max(64),
  roles: z
    .array(z.string().max(32))
    .min(1)
    .max(8)
    .transform((roles) => parseRoles(roles.join(','))),
});

export interface ProvenKey {
  readonly publicKey: Buffer;
  readonly keyId: string;
}

export const readEnrolRequest = (body: unknown): EnrolRequest => parse(enrolSchema, body);
export const readRenewRequest = (body: unknown): RenewRequest => parse(renewSchema, body);

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Returns the client's signing key after checking its proof of possession. Throws RegistrarError. */
export function readProvenKey({ csr, signingPublicKey, proof }: KeyRequest): ProvenKey {
  const key = readSigningKey(Buffer.from(signingPublicKey, 'base64'));
  if (key === null || !verify(null, Buffer.from(csr), key, Buffer.from(proof, 'base64'))) {
    throw new RegistrarError(
      'ERR_REGISTRAR_BAD_REQUEST',
      'signingPublicKey: expected an Ed25519 key, and proof its signature of csr',
    );
  }
  return { publicKey: key.export({ type: 'spki', format: 'der' }), keyId: keyIdOf(key) };
}
