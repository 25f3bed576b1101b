import { setMaxListeners } from 'node:events';
import { bodyOf, memoryBus, readEvents, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { type Event, u64ToHex } from '@ringfence/wire';

type Options = Parameters<typeof startTestCollector>[2];

export interface Attributed {
  /** containers whose program was told of after they were */
  readonly told: number;
  /** executions of the program without their container before them */
  readonly missed: number;
}

function countOf(events: readonly Event[], program: string): Attributed {
  const containers = new Map<string, string>();
  const told = new Set<string>();
  let missed = 0;
  for (const event of events) {
    const context = bodyOf(event, 'ContainerContext');
    if (context !== undefined) containers.set(u64ToHex(context.cgroupId), context.id);
    if (Buffer.from(bodyOf(event, 'Exec')?.path.bytes ?? '').toString() !== program) continue;
    const id = containers.get(u64ToHex(event.cgroup));
    if (id === undefined) missed++;
    else told.add(id);
  }
  return { told: told.size, missed };
}

/** Starts `count` containers, so many side by side, each of which executes `program`, and looks at what a collector tells of them, in which order. */
export async function attributed(
  { program, count, sideBySide }: { readonly program: string; readonly count: number; readonly sideBySide: number },
  run: (name: string) => Promise<void>,
  options: Options = {},
): Promise<Attributed> {
  setMaxListeners(100);
  using place = new TestPlace();
  await using bus = await memoryBus();
  await using collector = await startTestCollector(place, bus, options);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(String(next++));
  };
  await Promise.all(Array.from({ length: sideBySide }, worker));
  await collector.settle();
  return countOf(await readEvents(bus), program);
}
