import type { Bus } from '@ringfence/bus';
import {
  type Act,
  type Command,
  commandId,
  decode,
  encodeSigned,
  orderFields,
  PROCESS_ONLY,
  type Reach,
  type Result,
  type SigningKey,
  TOPIC,
} from '@ringfence/wire';

/** Policy in the commands of people. */
export const OPERATOR = 'operator';
/** The clock of the bus may be behind this one. */
const CLOCK_SLACK_US = 5_000_000;

/** An action that a person asks for. */
export interface OperatorOrder {
  /** Id of the operator's record, from which the command's id derives */
  readonly recordId: string;
  readonly action: Act;
  readonly mode: 'enforce' | 'plan';
  readonly reach: Reach;
  /** Id of the incident or alert; empty: none */
  readonly cause: string;
  readonly reason: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** µs since the epoch; 0: until it is taken back */
  readonly until: number;
  /** `pid` 0: the action is about no process. `bootId` empty: it holds whatever the boot is. */
  readonly target: Pick<Command, 'hostId' | 'bootId' | 'entityId' | 'pid' | 'start' | 'executable'>;
}

export interface OrderDeps {
  readonly bus: Pick<Bus, 'produce' | 'read'>;
  readonly key: SigningKey;
  readonly ttlMs: number;
  readonly answerGraceMs: number;
}

export interface Ordered {
  readonly id: string;
  /** Null: there is no Result yet, although the command has expired. */
  readonly result: Result | null;
}

/** Signs the command and publishes it, and waits for its Result. `now`: µs since the epoch. */
export async function order(deps: OrderDeps, asked: OperatorOrder, now: number, signal: AbortSignal): Promise<Ordered> {
  const { bus, key, ttlMs, answerGraceMs } = deps;
  const { recordId, target, action, mode, reach, cause, reason, parameters, until } = asked;
  const about = target.entityId === '' ? `${target.hostId}/${target.pid}` : target.entityId;
  const id = commandId(recordId, `${mode}/${action}/${reach}`, about, 0);
  const command = {
    ...{ id, cause, policy: OPERATOR, reason, ordinal: 0, ...PROCESS_ONLY, reach, parameters, until },
    ...orderFields(action, mode),
    ...target,
    ...{ issuedAt: now, expiresAt: now + ttlMs * 1000 },
  };
  await bus.produce([{ topic: TOPIC.commands, key: target.hostId, value: encodeSigned('Command', command, key) }]);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(ttlMs + 2 * answerGraceMs)]);
  const results = bus.read({ topic: TOPIC.results, from: now - CLOCK_SLACK_US, follow: true, signal: deadline });
  for await (const { key: host, value } of results) {
    if (host !== target.hostId || value === null) continue;
    const result = decode('Result', value);
    if (result.id === id) return { id, result };
  }
  return { id, result: null };
}
