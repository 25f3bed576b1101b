/**
 * From the kernel's clock at an exec to the batch that holds it being on the bus, one exec at a time on an idle reader:
 * `node --conditions=@ringfence/source services/collector/bench/latency.ts`. Needs root.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { bootMicros } from '@ringfence/host-kit';
import { buildSensor } from '@ringfence/sensor/build';
import { createSigningKey, KIND, RawBatchReader } from '@ringfence/wire';
import { startCollector } from '../src/main.ts';

const SAMPLES = 100;
const GAP_MS = 60;
const directory = mkdtempSync(join(tmpdir(), 'ringfence-latency-'));
const reader = new RawBatchReader();
const micros: number[] = [];
let wanted = 0;

const bus = {
  produce: async (records: readonly { readonly value: Uint8Array | null }[]): Promise<void> => {
    const now = bootMicros();
    for (const { value } of records) {
      reader.open(value as Uint8Array);
      while (reader.next())
        if (reader.cursor.kind === KIND.Exec && reader.cursor.tgid === wanted) micros.push(now - reader.cursor.ktime);
    }
  },
};
const collector = await startCollector({
  bus,
  options: { sensorObject: await buildSensor(), stateDir: directory, pinPath: `/sys/fs/bpf/rf-bench-${process.pid}` },
  identity: { hostId: 'bench', bootId: 'bench', agentVersion: '0', key: createSigningKey() },
  trustedKeys: new Map(),
  log: silentLog,
});
for (let sample = 0; sample < SAMPLES; sample++) {
  await sleep(GAP_MS);
  const child = spawn('/bin/true');
  wanted = child.pid ?? 0;
  await once(child, 'exit');
}
await collector.close();
rmSync(directory, { recursive: true });
micros.sort((a, b) => a - b);
const at = (part: number): string => `${((micros[Math.floor(micros.length * part)] ?? 0) / 1000).toFixed(2)} ms`;
console.log(`exec → bus, ${micros.length} samples: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}`);
