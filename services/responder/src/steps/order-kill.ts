import type { OutRecord } from '@ringfence/bus';
import type { InputPosition } from '@ringfence/service-kit';
import { type Act, encodeSigned, type Reach, type SigningKey, TOPIC } from '@ringfence/wire';
import type { Commands } from '../command.ts';
import type { CompiledResponderOptions } from '../config.ts';
import type { ResponderMetrics } from '../metrics.ts';
import { idOfOrder, type OfRun } from '../playbook/ids.ts';
import type { Verdict } from '../policy/policy-set.ts';
import { orderId, signCommand } from './sign-command.ts';
import type { Target } from './target.ts';
import type { TraceSteps } from './trace.ts';

export interface OrderDeps {
  readonly options: CompiledResponderOptions;
  readonly key: SigningKey;
  readonly commands: Commands;
  readonly metrics: ResponderMetrics;
  readonly tracing: TraceSteps;
  /** Returns µs since the epoch: the wall clock, or in a replay the event time that it is given. */
  readonly now: (eventTime: number) => number;
}

/** The alert or incident that leads to a kill. */
export interface Cause {
  readonly id: string;
  readonly target: Target;
  readonly verdict: Omit<Verdict, 'action' | 'reach'> & { readonly action: Act; readonly reach: Reach };
  readonly reason: string;
  /** µs since the epoch, when the bus accepted the record */
  readonly since: number;
  /** The run of a playbook that orders it. @default a policy, or a rule */
  readonly ofRun?: OfRun;
}

/**
 * Returns the function that orders a kill: it signs one command for a cause and a target. Only an `enforce` command is
 * ever sent; an observed command and one for a stale cause have their Result at once.
 */
export function createOrderKill(deps: OrderDeps): (cause: Cause, position: InputPosition) => readonly OutRecord[] {
  const { options, key, commands, metrics, tracing, now } = deps;

  return function orderKill({ id: cause, target, verdict, reason, since, ofRun }, position) {
    const { hostId, entityId, executable, alertId, timestamp } = target;
    const { policy, action, reach, forMs } = verdict;
    const id =
      ofRun === undefined ? orderId({ cause, action, reach, target }) : idOfOrder(ofRun, action, reach, target);
    if (commands.stateOf(id) !== undefined) return [];
    const issuedAt = now(timestamp);
    const isEnforced = verdict.mode === 'enforce';
    if (isEnforced && ofRun === undefined && commands.isUnderWay(entityId, issuedAt)) {
      metrics.underWay++;
      return [];
    }
    const isStale = isEnforced && issuedAt - timestamp > options.maxCauseAgeMs * 1000;
    const mode = isEnforced && !isStale ? 'enforce' : 'observe';
    // A run orders one step after the other: its commands hold up nothing else about the process.
    commands.order({ id, entityId: ofRun === undefined ? entityId : '', alertId, issuedAt, mode }, position);
    metrics.ordered(mode);
    if (isStale) metrics.refused('stale');
    tracing.decided({ alert: alertId, command: id, policy, mode, since });

    const text = isStale ? `refused (stale): ${reason}` : reason;
    const until = forMs > 0 ? issuedAt + forMs * 1000 : 0;
    const { parameters = {}, approvals = [] } = ofRun ?? {};
    const aim = { id, action, reach, until, target, parameters, approvals };
    const order = { ...aim, cause, policy, mode, reason: text } as const;
    const command = signCommand(key, order, issuedAt, options.commandTtlMs);
    const outputs: OutRecord[] = [{ topic: TOPIC.commands, key: hostId, value: command }];
    if (mode === 'observe') {
      const outcome = isStale ? 'refused' : 'observed';
      const result = {
        id,
        hostId,
        outcome,
        reason: isStale ? 'stale' : '',
        executable,
        at: issuedAt,
        children: -1,
        facts: {},
      } as const;
      outputs.push({ topic: TOPIC.results, key: hostId, value: encodeSigned('Result', result, key) });
    }
    return outputs;
  };
}
