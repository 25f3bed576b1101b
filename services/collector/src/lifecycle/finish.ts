import { setTimeout as sleep } from 'node:timers/promises';
import { unmarkSensor } from '@ringfence/sensor';
import type { CompiledOptions } from '../config.ts';
import type { AgentParts } from '../parts.ts';
import type { CycleLoop } from './cycle-loop.ts';

/** Bounds the final reads: a ring that is still busy after so many is broken. */
const LAST_READS = 1000;
/** Reads in a row that must find nothing, 1 ms apart */
const LAST_EMPTY_READS = 10;

/**
 * Ends an agent whose loop has stopped: detaches the hooks, drains the rings and the spool as far as the bus accepts
 * batches, and removes the sensor. With `keepPinned`, hooks and sensor stay in the kernel.
 */
export async function finishAgent(
  parts: AgentParts,
  loop: CycleLoop,
  { keepPinned, stateDir }: Pick<CompiledOptions, 'keepPinned' | 'stateDir'>,
): Promise<void> {
  const { sensor, pipeline, statistics, tampering } = parts;
  const { outbox, ticker, hashes } = pipeline;
  if (!keepPinned) sensor.hooks.detach();
  tampering.report();
  ticker.finish();
  while ((await loop.cycle()).more || outbox.retryInMs === 0);
  await hashes.close();
  if (!keepPinned) await readLast(parts, loop);
  sensor.filter.control.agent = null;
  sensor.filter.control.partner = null;
  statistics.freeze();
  if (keepPinned) return;
  unmarkSensor(stateDir);
  sensor.uninstall();
}

/** Reads until nothing has come for some ms: a hook still runs for a moment after its last link is closed. */
async function readLast({ pipeline }: AgentParts, loop: CycleLoop): Promise<void> {
  const { security, bulk } = pipeline;
  for (let reads = 0, empty = 0; reads < LAST_READS && empty < LAST_EMPTY_READS; reads++) {
    empty = security.pendingBytes + bulk.pendingBytes > 0 ? 0 : empty + 1;
    if (empty > 0 || (await loop.cycle()).taken === 0) await sleep(1);
  }
}
