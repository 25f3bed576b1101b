import { type Action, type Command, commandId, encodeSigned, PROCESS_ONLY, type SigningKey } from '@ringfence/wire';
import type { Target } from './target.ts';

export interface Order {
  readonly action: Action;
  readonly target: Target;
  /** Id of the alert or incident. */
  readonly cause: string;
  readonly policy: string;
  readonly mode: Command['mode'];
  readonly reason: string;
}

/** Returns the id of the one command for this cause, action and target: its ordinal is always 0. */
export function orderId({ cause, action, target }: Pick<Order, 'cause' | 'action' | 'target'>): string {
  return commandId(cause, action, target.entityId, 0);
}

/** Returns the framed, signed Command. `issuedAt`: µs since the epoch. */
export function signCommand(key: SigningKey, order: Order, issuedAt: number, ttlMs: number): Buffer {
  const { action, target, cause, policy, mode, reason } = order;
  const { hostId, bootId, entityId, pid, start, executable } = target;
  const expiresAt = issuedAt + ttlMs * 1000;
  const aim = { hostId, bootId, entityId, pid, start, executable };
  const command = { id: orderId(order), action, mode, cause, policy, reason, ordinal: 0, ...PROCESS_ONLY };
  return encodeSigned('Command', { ...command, ...aim, issuedAt, expiresAt }, key);
}
