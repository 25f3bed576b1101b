import type { Effect, InRecord, OutRecord } from '@ringfence/bus';
import { TOPIC } from '@ringfence/schema';
import { createDecideAlert, createDecideIncident, type DecideDeps } from './steps/decide.ts';
import { createDispatch, type DispatchDeps } from './steps/dispatch.ts';
import { createOrderKill, type OrderDeps } from './steps/order-kill.ts';

/** alerts, incidents → judge (policies) → order (once, within the limit, signed) → commands, and results of those that won't be sent. */
export function createDecidePipeline(
  deps: OrderDeps & Omit<DecideDeps, 'orderKill'>,
): (records: readonly InRecord[]) => Effect {
  const orderKill = createOrderKill(deps);
  const decideAlert = createDecideAlert({ ...deps, orderKill });
  const decideIncident = createDecideIncident({ ...deps, orderKill });

  function decide(record: InRecord): readonly OutRecord[] {
    if (record.value === null) return [];
    return record.topic === TOPIC.alerts ? decideAlert(record, record.value) : decideIncident(record, record.value);
  }

  return (records) => ({ outputs: records.flatMap(decide), state: deps.memory.drain() });
}

/** commands → send those that enforce (signed by us, not expired) → results. One after the other: order matters more than speed here. */
export function createDispatchPipeline(deps: DispatchDeps): (records: readonly InRecord[]) => Promise<Effect> {
  const dispatch = createDispatch(deps);
  return async (records) => {
    const outputs: OutRecord[] = [];
    for (const { value } of records) {
      if (value !== null) outputs.push(...(await dispatch(value)));
    }
    return { outputs, state: [] };
  };
}
