import type { Effect, InRecord, OutRecord } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import { type CommandDeps, Commands } from './command.ts';
import type { Playbook } from './playbook/playbook.ts';
import { Runs } from './playbook/runs.ts';
import type { Memory } from './state/memory.ts';
import { createDecideAlert, createDecideIncident, type DecideDeps } from './steps/decide.ts';
import { createOrderKill, type OrderDeps } from './steps/order-kill.ts';
import { createStartForAlert, createStartForIncident } from './steps/start-runs.ts';
import { createTakeAnswer, createTakeCommand, type TakeDeps } from './steps/take-command.ts';
import { createTakeSignal } from './steps/take-signal.ts';
import { createTraceSteps, type TraceDeps } from './steps/trace.ts';

type Made = 'tracing' | 'commands' | 'orderKill' | 'onResult';

export type PipelineDeps = Omit<OrderDeps & CommandDeps & DecideDeps & TakeDeps, Made> &
  TraceDeps & {
    readonly memory: Memory;
    /** Read for each record, so that playbooks can change. @default none */
    readonly playbooks?: () => readonly Playbook[];
  };

type Step = (record: InRecord, value: Uint8Array) => readonly OutRecord[];

/** Returns the handler for the records of one partition. It decides and keeps account; `dispatch/` sends. */
export function createPipeline(deps: PipelineDeps): (records: readonly InRecord[]) => Effect {
  const tracing = createTraceSteps(deps);
  const commands: Commands = new Commands({ ...deps, tracing, onResult: (...result) => runs.answered(...result) });
  const orderKill = createOrderKill({ ...deps, tracing, commands });
  const runs = new Runs({ ...deps, orderKill });
  const starting = { ...deps, playbooks: deps.playbooks ?? (() => []) };
  const steps: Readonly<Record<string, Step>> = {
    // Keyed by host. The first step verifies the signature.
    [TOPIC.alerts]: inTurn(createDecideAlert({ ...deps, orderKill }), createStartForAlert(starting)),
    // Keyed by incident
    [TOPIC.incidents]: inTurn(createDecideIncident({ ...deps, orderKill }), createStartForIncident(starting)),
    // Keyed by host
    [TOPIC.commands]: createTakeCommand({ ...deps, commands }),
    [TOPIC.answers]: createTakeAnswer({ ...deps, commands }),
    // Keyed by host
    [TOPIC.runs]: createTakeSignal({ ...deps, runs }),
  };

  function step(record: InRecord): readonly OutRecord[] {
    return record.value === null ? [] : (steps[record.topic]?.(record, record.value) ?? []);
  }

  return (records) => ({ outputs: records.flatMap(step), state: deps.memory.drain() });
}

function inTurn(first: Step, second: Step): Step {
  return (record, value) => [...first(record, value), ...second(record, value)];
}
