import type { Effect, InRecord, OutRecord } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import { type AwaitDeps, createAwaitAnswer, createTakeAnswer } from './steps/await-answer.ts';
import { createDecideAlert, createDecideIncident, type DecideDeps } from './steps/decide.ts';
import { createHandOver } from './steps/hand-over.ts';
import { createOrderKill, type OrderDeps } from './steps/order-kill.ts';
import { createTraceSteps, type TraceDeps } from './steps/trace.ts';

export type PipelineDeps = Omit<OrderDeps, 'tracing'> &
  Omit<DecideDeps, 'orderKill'> &
  Omit<AwaitDeps, 'tracing'> &
  TraceDeps;

/** What the responder does with the records of one partition. It orders and keeps account; sending is the matter of `dispatch/`. */
export function createPipeline(deps: PipelineDeps): (records: readonly InRecord[]) => Effect {
  const traced = { ...deps, tracing: createTraceSteps(deps) };
  const orderKill = createOrderKill(traced);
  const steps: Readonly<Record<string, (record: InRecord, value: Uint8Array) => readonly OutRecord[]>> = {
    // judged by the policies: commands, signed; and at once the results of those that are only observed, or refused
    [TOPIC.alerts]: createDecideAlert({ ...deps, orderKill }),
    // by incident id: goes on by host, where its alerts are known
    [TOPIC.incidents]: createHandOver(deps),
    [TOPIC.hostIncidents]: createDecideIncident({ ...deps, orderKill }),
    // an enforced one is open until it is answered; while it is, `dispatch/` routes it to where its agent is
    [TOPIC.commands]: createAwaitAnswer(traced),
    // the first answer to an open command is its result
    [TOPIC.answers]: createTakeAnswer(traced),
  };

  function step(record: InRecord): readonly OutRecord[] {
    return record.value === null ? [] : (steps[record.topic]?.(record, record.value) ?? []);
  }

  return (records) => ({ outputs: records.flatMap(step), state: deps.memory.drain() });
}
