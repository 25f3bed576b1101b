import { verify } from 'node:crypto';
import { parseRoles } from '@ringfence/identity';
import { keyIdOf, type Role } from '@ringfence/wire';
import { z } from 'zod';
import { readSigningKey } from '../book.ts';
import { RegistrarError } from '../errors.ts';

const base64 = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/);

export interface RenewRequest {
  /** PEM (PKCS#10) */
  readonly csr: string;
  /** Ed25519, SPKI DER, base64 */
  readonly signingPublicKey: string;
  /** signature of the request by that key: whoever enrols a key has it */
  readonly proof: string;
}

export interface EnrolRequest extends RenewRequest {
  readonly token: string;
  readonly subject: string;
  readonly roles: readonly Role[];
}

const signing = { csr: z.string().max(8192), signingPublicKey: base64(128), proof: base64(128) };
const renewal: z.ZodType<RenewRequest> = z.strictObject(signing);
const enrolment: z.ZodType<EnrolRequest> = z.strictObject({
  ...signing,
  token: z.string().length(43),
  subject: z.string().max(64),
  roles: z
    .array(z.string().max(32))
    .min(1)
    .max(8)
    .transform((roles) => parseRoles(roles.join(','))),
});

export interface SigningPart {
  readonly publicKey: Buffer;
  readonly keyId: string;
}

export const readEnrolRequest = (body: unknown): EnrolRequest => read(enrolment, body);
export const readRenewRequest = (body: unknown): RenewRequest => read(renewal, body);

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** The key that will sign, once it has proved that its private half is there. Throws RegistrarError. */
export function readSigningPart({ csr, signingPublicKey, proof }: RenewRequest): SigningPart {
  const key = readSigningKey(Buffer.from(signingPublicKey, 'base64'));
  if (key === null || !verify(null, Buffer.from(csr), key, Buffer.from(proof, 'base64'))) {
    throw new RegistrarError(
      'ERR_REGISTRAR_BAD_REQUEST',
      'signingPublicKey: expected an Ed25519 key, and proof its signature of csr',
    );
  }
  return { publicKey: key.export({ type: 'spki', format: 'der' }), keyId: keyIdOf(key) };
}
