/**
 * Measures a collector's work without a kernel: transcodes records in the kernel's format into signed batches and sends
 * them to Kafka. Each cycle is acknowledged before the next.
 *
 *   collector.ts SETTINGS SECONDS DIRECTORY
 *
 * Prints a line of JSON.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { Batch } from '@ringfence/collector/batch';
import { openOutbox } from '@ringfence/collector/sensorless';
import { loadConfig } from '@ringfence/config';
import { kafkaOptionsOf } from '@ringfence/runtime/fleet';
import { transcode } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import { createSigningKey, records } from '@ringfence/wire';
import { openRecords } from '../lib/codec-cases.ts';

/** The collector's values: EVENTS_PER_CYCLE of its pipeline.ts, batchBytes of its config.ts */
const EVENTS_PER_CYCLE = 8192;
const BATCH_BYTES = 512 * 1024;
const WARM_UP_CYCLES = 10;

const [file = '', seconds = '10', dir = ''] = process.argv.slice(2);
const config = loadConfig({ file, flags: [] });
await using bus = await openKafkaBus({ ...kafkaOptionsOf(config), clientId: 'bench-collector' });
const hostId = createHash('sha256').update(String(process.pid)).digest('hex').slice(0, 32);
const origin = { hostId, bootId: hostId, run: Buffer.alloc(8, 1), agentVersion: '0' };
const batch = new Batch(origin, createSigningKey(), BATCH_BYTES);
const log = createLogger({ ...config.log, level: 'error' });
const outbox = openOutbox({ bus, hostId, spoolPath: join(dir, 'spool'), spoolMaxBytes: 2 ** 28, log });

const ring = withTypicalPaths(openRecords());
const bytes = Buffer.concat(ring);
const source = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
let sequence = 0;

for (let i = 0; i < WARM_UP_CYCLES; i++) await cycle();
const before = outbox.stats();
const began = performance.now();
const cpu = process.cpuUsage();
while (performance.now() - began < Number(seconds) * 1000) await cycle();
const took = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
const after = outbox.stats();
const result = {
  events: after.events - before.events,
  bytes: after.bytes - before.bytes,
  seconds: took,
  cpuSeconds: (user + system) / 1e6,
  refusals: after.refusals,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
outbox.close();

/** Does what the collector's runCycle does after it has read the rings. */
async function cycle(): Promise<void> {
  for (let taken = 0; taken < EVENTS_PER_CYCLE; ) {
    let at = 0;
    for (const { length } of ring) {
      // Sequence numbers and times advance as in the kernel: they compress worst.
      sequence++;
      bytes.writeBigUInt64LE(BigInt(sequence), at + records.HEADER_SEQUENCE);
      bytes.writeBigUInt64LE(86_400_000_000_000n + BigInt(sequence) * 3700n, at + records.HEADER_KTIME);
      transcode(source, at, 0, false, batch);
      at += length;
      if (++taken === EVENTS_PER_CYCLE) break;
    }
  }
  await outbox.send(batch.takeFinished());
}

/** Replaces the random paths of the property tests, which do not compress. */
function withTypicalPaths(opens: readonly Buffer[]): Buffer[] {
  return opens.map((record, i) => {
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    const start = records.textOffset(view, records.OPEN_PATH);
    const kept = records.textKept(view, records.OPEN_PATH);
    record.write(
      `/usr/lib/x86_64-linux-gnu/module-${i % 997}/part-${(i * 7919) % 4999}.so.6/`.repeat(4).slice(0, kept),
      start,
      'latin1',
    );
    return record;
  });
}
