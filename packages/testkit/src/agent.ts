import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@ringfence/base';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { type Collector, type CollectorDeps, type CollectorOptions, startCollector } from '@ringfence/collector';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import {
  createSigningKey,
  decode,
  type Event,
  LANE,
  type RawBatch,
  splitText,
  TOPIC,
  topicsWith,
} from '@ringfence/wire';
import { sensorMissing } from './sensor/sensor-missing.ts';

/** Program that runs a collector in a separate process. The comment at its start describes the arguments. */
export const COLLECTOR_PROGRAM: string = fileURLToPath(new URL('./programs/collector-child.ts', import.meta.url));

export const BPF_FS = '/sys/fs/bpf';

/** Returns why the sensor can't be tested on this machine, or false. */
export function kernelSkip(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  if (sensorMissing !== undefined) return sensorMissing;
  try {
    if (isBpfFileSystem(BPF_FS)) return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return `no bpf file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`;
}

/** A directory and a pin path for one test, removed on dispose. */
export class TestPlace implements Disposable {
  static #count = 0;
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ringfence-collector-'));
  readonly pinPath: string = `${BPF_FS}/rf-test-${process.pid}-${TestPlace.#count++}`;

  [Symbol.dispose](): void {
    uninstallSensor(this.pinPath);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function memoryBus(): Promise<Bus> {
  const bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  return bus;
}

export const identity: CollectorDeps['identity'] = {
  hostId: '6e8f2a51-0000-4000-8000-000000000001',
  bootId: '6e8f2a51-0000-4000-8000-000000000002',
  key: createSigningKey(),
  agentVersion: '0.1.0-test',
};

export async function startTestCollector(
  place: TestPlace,
  bus: Pick<Bus, 'produce'>,
  options: Partial<CollectorOptions> = {},
  deps: Partial<CollectorDeps> = {},
): Promise<Collector> {
  const sensorObject = await buildSensor();
  const { directory: stateDir, pinPath } = place;
  // Large rings, because programs that a test runs block the reader in the same thread while other programs run.
  const rings = { ringSecurityBytes: 1 << 24, ringBulkBytes: 1 << 24 };
  return startCollector({
    bus,
    identity,
    trustedKeys: new Map(),
    log: silentLog,
    ...deps,
    options: { sensorObject, stateDir, pinPath, ...rings, ...options },
  });
}

export async function readBatches(bus: Pick<Bus, 'read'>): Promise<RawBatch[]> {
  const batches: RawBatch[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.raw }))
    if (value !== null) batches.push(decode('RawBatch', value));
  return batches;
}

export const eventsOf = (batches: readonly RawBatch[]): Event[] => batches.flatMap(({ events }) => events);

export const readEvents = async (bus: Pick<Bus, 'read'>): Promise<Event[]> => eventsOf(await readBatches(bus));

/** Returns where cgroup v2 is mounted: on hybrid machines not at /sys/fs/cgroup. */
export function cgroupRoot(): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const found = mounts.map((line) => line.split(' ')).find((fields) => fields[2] === 'cgroup2');
  return found?.[1] ?? assert.fail('no cgroup v2 hierarchy is mounted');
}

type Bodies = { [K in keyof UnionToIntersection<Event['body']>]: UnionToIntersection<Event['body']>[K] };
type UnionToIntersection<U> = (U extends unknown ? (union: U) => void : never) extends (all: infer I) => void
  ? I
  : never;
export type BodyName = keyof Bodies extends `ringfence.${infer N}` ? N : never;
export type BodyOf<N extends BodyName> = Bodies[`ringfence.${N}` & keyof Bodies];

/** Returns the body of an event of this kind, or undefined. */
export function bodyOf<N extends BodyName>(event: Event, name: N): BodyOf<N> | undefined {
  return (event.body as Partial<Bodies>)[`ringfence.${name}` as keyof Bodies] as BodyOf<N> | undefined;
}

/** Returns the missing sequence numbers of a lane, from 1 to the last one of each CPU. */
export function missingNumbers(events: readonly Event[], lane: number): string[] {
  const seen = new Map<number, Set<number>>();
  for (const event of events) {
    if (event.lane !== lane) continue;
    const numbers = seen.get(event.cpu) ?? new Set();
    seen.set(event.cpu, numbers.add(event.sequence));
  }
  return [...seen].flatMap(([cpu, numbers]) =>
    Array.from({ length: Math.max(...numbers) }, (_, index) => index + 1)
      .filter((sequence) => !numbers.has(sequence))
      .map((sequence) => `${lane}/${cpu}/${sequence}`),
  );
}

/** Returns the execs of a program with this argument, without those of the snapshot. */
export function execsWith(events: readonly Event[], argument: string): Event[] {
  return events.filter((event) => {
    const exec = bodyOf(event, 'Exec');
    return exec !== undefined && !exec.snapshot && splitText(exec.argv.bytes).includes(argument);
  });
}

export const runOnce = (marker: string): void => void execFileSync('/bin/echo', [marker]);

/**
 * Asserts that in the sensor's lanes only events are missing that the counters report as lost. Returns their number:
 * other programs of the machine may fill a ring while the test does not read it.
 */
export function assertCounted(batches: readonly RawBatch[]): number {
  const events = eventsOf(batches);
  const missing = [LANE.security, LANE.bulk].flatMap((lane) => missingNumbers(events, lane));
  const last = batches.findLast(({ lanes }) => lanes.length > 0)?.lanes ?? [];
  const lost = last.reduce((sum, { drops }) => sum + (drops['ring_full'] ?? 0), 0);
  assert.equal(missing.length, lost, `missing: ${missing.slice(0, 10).join(' ')}`);
  return lost;
}
