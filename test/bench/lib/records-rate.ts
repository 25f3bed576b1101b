import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Batch } from '@ringfence/collector/batch';
import { BpfMap, type RingBuffer } from '@ringfence/libbpf-ts';
import { LaneReader } from '@ringfence/sensor';
import { transcode } from '@ringfence/sensor/parts';
import { createSigningKey, records } from '@ringfence/wire';
import { NODE_FLAGS } from './agent.ts';
import { compileBpf } from './programs.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Records that the collector takes before it releases ring space */
const RECORDS_PER_CYCLE = 8192;
const BATCH_BYTES = 512 * 1024;
const PATH = '/usr/lib/x86_64-linux-gnu/libpthread.so.0';

/**
 * Returns how many records per second are read from a ring and put into signed batches, while a producer on `cpu` fills
 * the ring.
 */
export async function measureRecords(directory: string, seconds: number, cpu: number): Promise<number> {
  const object = join(directory, 'records.bpf.o');
  await compileBpf(pathOf('../programs/records.bpf.c'), object);
  const pin = `/sys/fs/bpf/ringfence-bench-records-${process.pid}`;
  const child = spawn(
    'taskset',
    ['-c', String(cpu), process.execPath, ...NODE_FLAGS, pathOf('records-child.ts'), object, pin, openRecord()],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    using map = BpfMap.openPinned(pin);
    using ring = map.ringBuffer();
    const key = createSigningKey();
    const batch = new Batch({ hostId: '', bootId: '', agentVersion: '0', run: Buffer.alloc(8) }, key, BATCH_BYTES);
    const lane = new LaneReader(1, ring);
    return await rateOf(ring, lane, seconds, batch);
  } finally {
    child.kill('SIGKILL');
    rmSync(pin, { force: true });
  }
}

async function rateOf(ring: RingBuffer, lane: LaneReader, seconds: number, batch: Batch): Promise<number> {
  const begin = performance.now();
  let taken = 0;
  while (performance.now() - begin < seconds * 1000) {
    lane.open();
    for (let n = 0; n < RECORDS_PER_CYCLE && lane.ready; n++, taken++) {
      transcode(lane.source, lane.at, 1, false, batch);
      lane.advance();
    }
    lane.pause();
    batch.takeFinished();
    ring.release();
    await turn();
  }
  return taken / ((performance.now() - begin) / 1000);
}

/** Returns the kernel's record of an open, base64. */
function openRecord(): string {
  const length = records.SIZEOF_OPEN + PATH.length;
  const bytes = Buffer.alloc((length + 7) & ~7);
  bytes.writeBigUInt64LE(1_234_567_890_123n, records.HEADER_KTIME);
  bytes.writeBigUInt64LE(1n, records.HEADER_SEQUENCE);
  bytes.writeBigUInt64LE(1_234_567_890_000n, records.HEADER_START);
  bytes.writeUInt32LE(43_210, records.HEADER_TGID);
  bytes.writeUInt32LE(43_210, records.HEADER_TID);
  bytes.writeUInt32LE(length, records.HEADER_SIZE);
  bytes.writeUInt16LE(records.Kind.OPEN, records.HEADER_KIND);
  bytes.writeUInt32LE(records.SIZEOF_OPEN, records.OPEN_PATH);
  bytes.writeUInt32LE(PATH.length, records.OPEN_PATH + 4);
  bytes.writeUInt32LE(PATH.length, records.OPEN_PATH + 8);
  bytes.write(PATH, records.SIZEOF_OPEN);
  return bytes.subarray(0, length).toString('base64');
}
