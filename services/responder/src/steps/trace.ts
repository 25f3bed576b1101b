import type { Trace } from '@ringfence/base';
import { type Command, decode, type Result } from '@ringfence/wire';
import type { Memory } from '../state/memory.ts';

export interface Decided {
  readonly alert: string;
  readonly command: string;
  readonly policy: string;
  readonly mode: Command['mode'];
  /** µs since the epoch, when the bus accepted the alert or incident */
  readonly since: number;
}

/** Traces the decision and execution of commands. No output depends on it. */
export interface TraceSteps {
  decided(decided: Decided): void;
  /** `command`: the framed Command. */
  answered(command: Uint8Array, result: Pick<Result, 'id' | 'outcome'>): void;
}

export interface TraceDeps {
  readonly memory: Memory;
  /** Returns µs since the epoch: the wall clock, or in a replay the event time that it is given. */
  readonly now: (eventTime: number) => number;
  /** @default tracing is off */
  readonly trace?: Trace | undefined;
}

export function createTraceSteps({ trace, memory, now }: TraceDeps): TraceSteps {
  if (trace === undefined) return { decided: () => {}, answered: () => {} };
  return {
    decided({ alert, command, policy, mode, since }) {
      const attributes = {
        'ringfence.command.id': command,
        'ringfence.command.policy': policy,
        'ringfence.command.mode': mode,
      };
      trace({ alert, name: 'decide', key: command, service: 'responder', start: since, end: now(since), attributes });
    },
    answered(command, { id, outcome }) {
      const alert = memory.orders.get(id)?.alertId ?? '';
      // The order was evicted, or is in the partition of an incident.
      if (alert === '') return;
      const { issuedAt: start } = decode('Command', command);
      const attributes = { 'ringfence.command.id': id, 'ringfence.result.outcome': outcome };
      trace({ alert, name: 'execute', key: id, service: 'responder', start, end: now(start), attributes });
    },
  };
}
