import { setMaxListeners } from 'node:events';
import { bodyOf, memoryBus, readEvents, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { type Event, u64ToHex } from '@ringfence/wire';
import { until } from '../../e2e/lib/wait.ts';

type Options = Parameters<typeof startTestCollector>[2];

export interface Attribution {
  /** Containers whose context arrived before the execution of their program. */
  readonly attributed: number;
  /** Executions of the program whose container was unknown. */
  readonly missed: number;
  /** Containers that were reported as known to no runtime. */
  readonly unknown: number;
  /** Containers that were reported as gone. */
  readonly gone: number;
}

function countOf(events: readonly Event[], program: string): Attribution {
  const containers = new Map<string, string>();
  const attributed = new Set<string>();
  let [missed, unknown, gone] = [0, 0, 0];
  for (const event of events) {
    const context = bodyOf(event, 'ContainerContext');
    if (context !== undefined) containers.set(u64ToHex(context.cgroupId), context.id);
    if (context?.id === '') gone++;
    if (bodyOf(event, 'Finding')?.check === 'container-unknown') unknown++;
    if (Buffer.from(bodyOf(event, 'Exec')?.path.bytes ?? '').toString() !== program) continue;
    const id = containers.get(u64ToHex(event.cgroup));
    if (id === undefined) missed++;
    else attributed.add(id);
  }
  return { attributed: attributed.size, missed, unknown, gone };
}

/**
 * Starts `count` containers, `concurrency` at a time, which execute `program`. Returns how many executions a collector
 * reports after the context of their container, once it has reported the end of each container.
 */
export async function measureAttribution(
  { program, count, concurrency }: { readonly program: string; readonly count: number; readonly concurrency: number },
  run: (name: string) => Promise<void>,
  options: Options = {},
): Promise<Attribution> {
  setMaxListeners(100);
  using place = new TestPlace();
  await using bus = await memoryBus();
  await using collector = await startTestCollector(place, bus, options);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(String(next++));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  await collector.settle();
  return await until('the end of the containers', async () => {
    const counts = countOf(await readEvents(bus), program);
    return counts.gone >= counts.attributed && counts;
  });
}
