/**
 * Latency from an exec, by the kernel's clock, until its batch is on the bus; one exec at a time on an idle agent.
 * Needs root: `node --conditions=@ringfence/source services/collector/bench/latency.ts`
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
const INTERVAL_MS = 60;
const directory = mkdtempSync(join(tmpdir(), 'ringfence-latency-'));
const reader = new RawBatchReader();
const micros: number[] = [];
/** Pid of the process whose exec is measured */
let expectedPid = 0;

const bus = {
  produce: async (records: readonly { readonly value: Uint8Array | null }[]): Promise<void> => {
    const now = bootMicros();
    for (const { value } of records) {
      reader.open(value as Uint8Array);
      while (reader.next())
        if (reader.cursor.kind === KIND.Exec && reader.cursor.tgid === expectedPid)
          micros.push(now - reader.cursor.ktime);
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
  await sleep(INTERVAL_MS);
  const child = spawn('/bin/true');
  expectedPid = child.pid ?? 0;
  await once(child, 'exit');
}
await collector.close();
rmSync(directory, { recursive: true });
micros.sort((a, b) => a - b);
const quantile = (share: number): string =>
  `${((micros[Math.floor(micros.length * share)] ?? 0) / 1000).toFixed(2)} ms`;
console.log(`exec → bus, ${micros.length} samples: p50 ${quantile(0.5)}, p90 ${quantile(0.9)}, p99 ${quantile(0.99)}`);
