import type { OutRecord } from '@ringfence/bus';
import { encodeSigned, type Outcome, type SigningKey, TOPIC } from '@ringfence/wire';
import type { CompiledResponderOptions } from '../config.ts';
import type { ResponderMetrics } from '../metrics.ts';
import type { Verdict } from '../policy/policy-set.ts';
import { createKillLimit } from './limit-kills.ts';
import type { Memory, Place } from './memory.ts';
import { orderId, signCommand } from './sign-command.ts';
import type { Target } from './target.ts';
import type { TraceSteps } from './trace.ts';

/** Why a kill that a policy wanted was not ordered. A closed set. */
export type Refusal = 'rate-limited' | 'stale';

export interface OrderDeps {
  readonly options: CompiledResponderOptions;
  readonly key: SigningKey;
  readonly memory: Memory;
  readonly metrics: ResponderMetrics;
  readonly tracing: TraceSteps;
  /** µs since the epoch, given the cause's own time: the wall clock; in a replay the time given */
  readonly now: (eventTime: number) => number;
}

export interface Cause {
  /** of the alert or incident */
  readonly id: string;
  readonly target: Target;
  readonly verdict: Verdict;
  readonly reason: string;
  /** µs since the epoch, when the bus took it */
  readonly since: number;
}

/**
 * A verdict becomes a command record, and at once a result when it won't be sent: observed, or refused. A refused one is recorded as `observe`,
 * because only `enforce` is ever sent.
 */
export function createOrderKill(deps: OrderDeps): (cause: Cause, place: Place) => readonly OutRecord[] {
  const { options, key, memory, metrics, tracing, now } = deps;
  const limitKills = createKillLimit(memory, options.killsPerMinutePerHost);

  function refusalOf(target: Target, issuedAt: number, place: Place): Refusal | undefined {
    if (issuedAt - target.timestamp > options.maxCauseAgeMs * 1000) return 'stale';
    return limitKills(target.hostId, target.timestamp, place) ? undefined : 'rate-limited';
  }

  /** A kill of the same process is on its way: another alert about it adds nothing, and must not use up the limit. */
  function isUnderWay({ entityId, timestamp }: Target): boolean {
    const last = memory.orders.get(`entity/${entityId}`);
    return last !== undefined && Math.abs(timestamp - last.at) < options.commandTtlMs * 1000;
  }

  return function orderKill({ id: cause, target, verdict, reason, since }, place) {
    const id = orderId(cause, target);
    if (memory.orders.get(id) !== undefined) return [];
    const enforce = verdict.mode === 'enforce';
    if (enforce && isUnderWay(target)) {
      metrics.underWay++;
      return [];
    }
    const issuedAt = now(target.timestamp);
    const refusal = enforce ? refusalOf(target, issuedAt, place) : undefined;
    const sent = enforce && refusal === undefined;
    memory.orders.set(id, { at: target.timestamp, alert: target.alertId }, place);
    if (sent) memory.orders.set(`entity/${target.entityId}`, { at: target.timestamp }, place);

    const { hostId, executable } = target;
    const mode = sent ? 'enforce' : 'observe';
    const text = refusal === undefined ? reason : `refused (${refusal}): ${reason}`;
    const command = signCommand(
      key,
      { target, cause, policy: verdict.policy, mode, reason: text },
      issuedAt,
      options.commandTtlMs,
    );
    const outputs: OutRecord[] = [{ topic: TOPIC.commands, key: hostId, value: command }];
    metrics.ordered(mode, refusal);
    tracing.decided({ alert: target.alertId, command: id, policy: verdict.policy, mode, since });
    if (!sent) {
      const outcome: Outcome = refusal === undefined ? 'observed' : 'refused';
      const result = { id, hostId, outcome, reason: refusal ?? '', executable, at: issuedAt };
      outputs.push({ topic: TOPIC.results, key: hostId, value: encodeSigned('Result', result, key) });
    }
    return outputs;
  };
}
