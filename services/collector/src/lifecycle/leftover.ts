import { BpfMap, type RingBuffer } from '@ringfence/libbpf-ts';
import {
  isPinned,
  isResumable,
  LaneReader,
  Merge,
  RunState,
  removeLinks,
  ringPath,
  type SensorOptions,
} from '@ringfence/sensor';
import { LANE } from '@ringfence/wire';
import type { CompiledOptions } from '../config.ts';
import { Batch } from '../delivery/batch.ts';
import type { Outbox } from '../delivery/outbox.ts';
import type { CollectorDeps } from '../deps.ts';

const EVENTS_PER_ROUND = 20_000;

/**
 * Drains an earlier agent's pinned sensor that cannot be taken over (another version, other ring sizes): detaches its
 * hooks and sends what its rings hold, under its own run id. If its records have another layout, they are lost, and the
 * loss is logged.
 */
export async function drainLeftover(
  options: SensorOptions & Pick<CompiledOptions, 'batchMaxBytes'>,
  { identity, log }: Pick<CollectorDeps, 'identity' | 'log'>,
  outbox: Outbox,
): Promise<void> {
  const { pinPath } = options;
  if (!isPinned(RunState.path(pinPath)) || isResumable(options)) return;
  using run = RunState.open(pinPath);
  removeLinks(pinPath);
  if (!isPinned(ringPath(pinPath, 'bulk')) || !isPinned(ringPath(pinPath, 'security'))) return;
  using maps = new DisposableStack();
  const security = openRing(maps, ringPath(pinPath, 'security'));
  const bulk = openRing(maps, ringPath(pinPath, 'bulk'));
  if (!run.hasCurrentLayout) {
    const bytes = security.pendingBytes() + bulk.pendingBytes();
    log.error({ pinPath, bytes }, 'the pinned sensor is of a version with another record layout: its records are lost');
    return;
  }
  const batch = new Batch({ ...identity, run: run.id }, identity.key, options.batchMaxBytes);
  const lanes = [new LaneReader(LANE.security, security), new LaneReader(LANE.bulk, bulk)];
  const events = await drain(lanes, batch, outbox);
  const malformed = lanes.reduce((sum, { malformedTotal }) => sum + malformedTotal, 0);
  log.warn(
    { pinPath, events, malformed },
    'the pinned sensor cannot be taken over: its rings were drained, and it is replaced',
  );
}

function openRing(maps: DisposableStack, path: string): RingBuffer {
  const map = maps.use(BpfMap.openPinnedBytes(path));
  return maps.use(map.ringBuffer());
}

/** Reads until a round finds nothing: a hook still runs for a moment after its last link is gone. */
async function drain(lanes: readonly LaneReader[], batch: Batch, outbox: Outbox): Promise<number> {
  const merge = new Merge(batch, () => undefined);
  for (let events = 0; ; ) {
    for (const lane of lanes) lane.open();
    const taken = merge.take(lanes, Number.POSITIVE_INFINITY, EVENTS_PER_ROUND);
    for (const lane of lanes) lane.pause();
    await outbox.send(batch.takeFinished());
    for (const lane of lanes) lane.release();
    events += taken;
    if (taken === 0 && !lanes.some(({ busy }) => busy)) return events;
  }
}
