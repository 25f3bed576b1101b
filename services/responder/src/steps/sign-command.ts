import { type Command, commandId, encode, type SigningKey, signBytes, signedPart } from '@ringfence/wire';
import type { Target } from './target.ts';

export interface Order {
  readonly target: Target;
  /** id of the alert or incident */
  readonly cause: string;
  readonly policy: string;
  readonly mode: Command['mode'];
  readonly reason: string;
}

const UNSIGNED = Buffer.alloc(64);

/** Of this cause and target the only order: ordinals above 0 are for orders given again by a person. */
export function orderId(cause: string, target: Target): string {
  return commandId(cause, 'kill', target.entityId, 0);
}

/** A framed, signed Command. `issuedAt` in µs since the epoch. */
export function signCommand(key: SigningKey, order: Order, issuedAt: number, ttlMs: number): Buffer {
  const { target, cause, policy, mode, reason } = order;
  const framed = encode('Command', {
    id: orderId(cause, target),
    action: 'kill',
    mode,
    cause,
    policy,
    reason,
    ordinal: 0,
    hostId: target.hostId,
    bootId: target.bootId,
    entityId: target.entityId,
    pid: target.pid,
    start: Buffer.from(target.start, 'hex'),
    executable: target.executable,
    issuedAt,
    expiresAt: issuedAt + ttlMs * 1000,
    keyId: key.keyId,
    signature: UNSIGNED,
  });
  const { signed, signature } = signedPart(framed);
  signature.set(signBytes(key, signed));
  return framed;
}
