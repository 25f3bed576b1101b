import { type Command, commandId, encodeSigned, type SigningKey } from '@ringfence/wire';
import type { Target } from './target.ts';

export interface Order {
  readonly target: Target;
  /** Id of the alert or incident. */
  readonly cause: string;
  readonly policy: string;
  readonly mode: Command['mode'];
  readonly reason: string;
}

/** Returns the id of the one command for this cause and target. A repetition by a person would have a higher ordinal. */
export function orderId(cause: string, target: Target): string {
  return commandId(cause, 'kill', target.entityId, 0);
}

/** Returns the framed, signed Command. `issuedAt`: µs since the epoch. */
export function signCommand(key: SigningKey, order: Order, issuedAt: number, ttlMs: number): Buffer {
  const { target, cause, policy, mode, reason } = order;
  const { hostId, bootId, entityId, pid, start, executable } = target;
  const expiresAt = issuedAt + ttlMs * 1000;
  const aim = { hostId, bootId, entityId, pid, start, executable };
  const command = { id: orderId(cause, target), action: 'kill', mode, cause, policy, reason, ordinal: 0 } as const;
  return encodeSigned('Command', { ...command, ...aim, issuedAt, expiresAt }, key);
}
