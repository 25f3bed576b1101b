import { randomUUID } from 'node:crypto';
import { encodeSigned, PROCESS_ONLY, type SigningKey, u64FromBigInt } from '@ringfence/wire';

export interface KillOrder {
  readonly hostId: string;
  readonly bootId: string;
  readonly pid: number;
}

/** Start time of every victim: the tests find their processes by pid. */
export const VICTIM_START = 1n;

/** Returns a signed command that kills a child process of a test. */
export function killCommand({ hostId, bootId, pid }: KillOrder, key: SigningKey): Buffer {
  const issuedAt = Date.now() * 1000;
  const order = {
    id: randomUUID(),
    action: 'kill',
    mode: 'enforce',
    cause: 'alert',
    policy: 'p',
    reason: 'r',
  } as const;
  const target = { hostId, bootId, entityId: 'e', pid, start: u64FromBigInt(VICTIM_START), executable: '/bin/sleep' };
  return encodeSigned(
    'Command',
    { ...order, ...target, ordinal: 0, ...PROCESS_ONLY, issuedAt, expiresAt: issuedAt + 60_000_000 },
    key,
  );
}
