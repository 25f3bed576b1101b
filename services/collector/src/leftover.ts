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
import type { CompiledOptions } from './config.ts';
import type { CollectorDeps } from './main.ts';
import { Batch } from './steps/batch.ts';
import type { Delivery } from './steps/deliver.ts';

const EVENTS_AT_ONCE = 20_000;

/**
 * When an earlier agent's sensor is pinned that can't be taken over (another version, other sizes of rings): leaves its hooks and brings what its rings
 * hold to the bus, under its own run. Only rings of another layout of records are lost, which is said.
 */
export async function drainLeftover(
  options: SensorOptions & Pick<CompiledOptions, 'batchMaxBytes'>,
  { identity, log }: Pick<CollectorDeps, 'identity' | 'log'>,
  delivery: Delivery,
): Promise<void> {
  const { pinPath } = options;
  if (!isPinned(RunState.path(pinPath)) || isResumable(options)) return;
  using run = RunState.open(pinPath);
  removeLinks(pinPath);
  if (!isPinned(ringPath(pinPath, 'bulk')) || !isPinned(ringPath(pinPath, 'security'))) return;
  using maps = new DisposableStack();
  const security = openRing(maps, ringPath(pinPath, 'security'));
  const bulk = openRing(maps, ringPath(pinPath, 'bulk'));
  const bytes = security.pendingBytes() + bulk.pendingBytes();
  if (!run.hasCurrentLayout) {
    log.error(
      { pinPath, bytes },
      'the pinned sensor is of a version whose records can not be read: what is in its rings is lost',
    );
    return;
  }
  const batch = new Batch({ ...identity, run: run.id }, identity.key, options.batchMaxBytes);
  const lanes = [new LaneReader(LANE.security, security), new LaneReader(LANE.bulk, bulk)];
  const events = await drain(lanes, batch, delivery);
  const malformed = lanes.reduce((sum, { malformedTotal }) => sum + malformedTotal, 0);
  log.warn(
    { pinPath, events, malformed },
    'the pinned sensor is another one: its rings were read to the end, and it is replaced',
  );
}

function openRing(maps: DisposableStack, path: string): RingBuffer {
  const map = maps.use(BpfMap.openPinnedBytes(path));
  return maps.use(map.ringBuffer());
}

/** Until a look finds nothing: the kernel frees a hook some time after its last link has gone, and until then it goes on. */
async function drain(lanes: readonly LaneReader[], batch: Batch, delivery: Delivery): Promise<number> {
  const merge = new Merge(batch, () => undefined);
  for (let events = 0; ; ) {
    for (const lane of lanes) lane.open();
    const taken = merge.take(lanes, Number.POSITIVE_INFINITY, EVENTS_AT_ONCE);
    for (const lane of lanes) lane.pause();
    await delivery.deliver(batch.takeFinished());
    for (const lane of lanes) lane.release();
    events += taken;
    if (taken === 0 && !lanes.some(({ busy }) => busy)) return events;
  }
}
