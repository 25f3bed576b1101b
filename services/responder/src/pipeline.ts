import type { Effect, InRecord, OutRecord } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import { type CommandDeps, Commands } from './command.ts';
import type { Memory } from './state/memory.ts';
import { createDecideAlert, createDecideIncident, type DecideDeps } from './steps/decide.ts';
import { createOrderKill, type OrderDeps } from './steps/order-kill.ts';
import { createTakeAnswer, createTakeCommand, type TakeDeps } from './steps/take-command.ts';
import { createTraceSteps, type TraceDeps } from './steps/trace.ts';

export type PipelineDeps = Omit<OrderDeps & CommandDeps & DecideDeps & TakeDeps, 'tracing' | 'commands' | 'orderKill'> &
  TraceDeps & { readonly memory: Memory };

/** Returns the handler for the records of one partition. It decides and keeps account; `dispatch/` sends. */
export function createPipeline(deps: PipelineDeps): (records: readonly InRecord[]) => Effect {
  const tracing = createTraceSteps(deps);
  const commands = new Commands({ ...deps, tracing });
  const orderKill = createOrderKill({ ...deps, tracing, commands });
  const steps: Readonly<Record<string, (record: InRecord, value: Uint8Array) => readonly OutRecord[]>> = {
    // Keyed by host
    [TOPIC.alerts]: createDecideAlert({ ...deps, orderKill }),
    // Keyed by incident
    [TOPIC.incidents]: createDecideIncident({ ...deps, orderKill }),
    // Keyed by host
    [TOPIC.commands]: createTakeCommand({ ...deps, commands }),
    [TOPIC.answers]: createTakeAnswer({ ...deps, commands }),
  };

  function step(record: InRecord): readonly OutRecord[] {
    return record.value === null ? [] : (steps[record.topic]?.(record, record.value) ?? []);
  }

  return (records) => ({ outputs: records.flatMap(step), state: deps.memory.drain() });
}
