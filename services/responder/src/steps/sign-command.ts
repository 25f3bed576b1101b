import {
  type Act,
  type Approval,
  type Command,
  commandId,
  encodeSigned,
  orderFields,
  type Reach,
  type SigningKey,
} from '@ringfence/wire';
import type { Target } from './target.ts';

export interface Order {
  /** @default `orderId` */
  readonly id?: string;
  readonly action: Act;
  readonly reach: Reach;
  /** µs since the epoch, when the agent takes the action back; 0: never */
  readonly until: number;
  readonly target: Target;
  /** @default none */
  readonly parameters?: Readonly<Record<string, string>>;
  /** @default none */
  readonly approvals?: readonly Approval[];
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
  const { id = orderId(order), action, reach, until, target, cause, policy, mode, reason } = order;
  const { parameters = {}, approvals = [] } = order;
  const { hostId, bootId, entityId, pid, start, executable } = target;
  const expiresAt = issuedAt + ttlMs * 1000;
  const aim = { hostId, bootId, entityId, pid, start, executable };
  const command = { id, cause, policy, reason, ordinal: 0 };
  const what = { ...orderFields(action, mode), reach, parameters, until, approvals: [...approvals] };
  return encodeSigned('Command', { ...command, ...aim, ...what, issuedAt, expiresAt }, key);
}
