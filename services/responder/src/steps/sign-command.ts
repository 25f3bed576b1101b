import {
  type Act,
  type Command,
  commandId,
  encodeSigned,
  orderFields,
  PROCESS_ONLY,
  type Reach,
  type SigningKey,
} from '@ringfence/wire';
import type { Target } from './target.ts';

export interface Order {
  readonly action: Act;
  readonly reach: Reach;
  /** µs since the epoch, when the agent takes the action back; 0: never */
  readonly until: number;
  readonly target: Target;
  /** Id of the alert or incident. */
  readonly cause: string;
  readonly policy: string;
  readonly mode: Command['mode'];
  readonly reason: string;
}

/** Returns the id of the one command for this cause, action, reach and target: its ordinal is always 0. */
export function orderId({
  cause,
  action,
  reach,
  target,
}: Pick<Order, 'cause' | 'action' | 'reach' | 'target'>): string {
  return commandId(cause, reach === 'process' ? action : `${action}/${reach}`, target.entityId, 0);
}

/** Returns the framed, signed Command. `issuedAt`: µs since the epoch. */
export function signCommand(key: SigningKey, order: Order, issuedAt: number, ttlMs: number): Buffer {
  const { action, reach, until, target, cause, policy, mode, reason } = order;
  const { hostId, bootId, entityId, pid, start, executable } = target;
  const expiresAt = issuedAt + ttlMs * 1000;
  const aim = { hostId, bootId, entityId, pid, start, executable };
  const command = { id: orderId(order), cause, policy, reason, ordinal: 0 };
  return encodeSigned(
    'Command',
    { ...command, ...aim, ...PROCESS_ONLY, ...orderFields(action, mode), reach, until, issuedAt, expiresAt },
    key,
  );
}
