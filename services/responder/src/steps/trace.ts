import type { Trace } from '@ringfence/base';
import { type Command, decode, type Result } from '@ringfence/wire';
import type { Memory } from './memory.ts';

export interface Decided {
  readonly alert: string;
  readonly command: string;
  readonly policy: string;
  readonly mode: Command['mode'];
  /** of the alert or incident: µs since the epoch, when the bus took it */
  readonly since: number;
}

/** Tells whoever traces what was done about an alert. Nothing that is written depends on it. */
export interface TraceSteps {
  decided(what: Decided): void;
  /** `command`: the framed one */
  answered(command: Uint8Array, result: Result): void;
}

export interface TraceDeps {
  readonly memory: Memory;
  /** µs since the epoch, given any other time */
  readonly now: (eventTime: number) => number;
  /** @default nobody traces */
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
      const alert = memory.orders.get(id)?.alert;
      // Ordered before the memory knew alerts, or forgotten since.
      if (alert === undefined) return;
      const { issuedAt: start } = decode('Command', command);
      const attributes = { 'ringfence.command.id': id, 'ringfence.result.outcome': outcome };
      trace({ alert, name: 'execute', key: id, service: 'responder', start, end: now(start), attributes });
    },
  };
}
