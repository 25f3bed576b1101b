/**
 * Measures the cost of one event from the ring's page to the signed batch: `node --conditions=@ringfence/source
 * packages/sensor/bench/transcode.ts`.
 * Prints ns per event by kind, and as the baseline of the same run the cost of copying the record.
 */

import { Batch } from '@ringfence/collector/batch';
import { createSigningKey, records, signBytes } from '@ringfence/wire';
import { isSound } from '../src/records/record-check.ts';
import { transcode } from '../src/records/transcode.ts';

const EVENTS = 20_000;
const ROUNDS = 15;
const key = createSigningKey();
const origin = {
  hostId: '6e8f2a51-0000-4000-8000-000000000001',
  bootId: '6e8f2a51-0000-4000-8000-000000000002',
  agentVersion: '0',
  run: Buffer.alloc(8),
};

interface Shape {
  readonly name: string;
  readonly kind: number;
  readonly size: number;
  /** offsets of the struct's texts, and their lengths */
  readonly texts: readonly (readonly [at: number, bytes: number])[];
}

const shapes: readonly Shape[] = [
  { name: 'open, path of 40', kind: records.Kind.OPEN, size: records.SIZEOF_OPEN, texts: [[records.OPEN_PATH, 40]] },
  { name: 'fork', kind: records.Kind.FORK, size: records.SIZEOF_FORK, texts: [] },
  { name: 'exit', kind: records.Kind.EXIT, size: records.SIZEOF_EXIT, texts: [] },
  { name: 'connect', kind: records.Kind.CONNECT, size: records.SIZEOF_CONNECT, texts: [] },
  {
    name: 'exec, 150 bytes of text',
    kind: records.Kind.EXEC,
    size: records.SIZEOF_EXEC,
    texts: [
      [records.EXEC_PATH, 20],
      [records.EXEC_FILENAME, 20],
      [records.EXEC_CWD, 30],
      [records.EXEC_ARGV, 80],
    ],
  },
];

function record({ kind, size, texts }: Shape): Buffer {
  const length = texts.reduce((sum, [, bytes]) => sum + bytes, size);
  const bytes = Buffer.alloc((length + 7) & ~7, 0x61);
  bytes.fill(0, 0, size);
  bytes.writeBigUInt64LE(1_234_567_890_123n, records.HEADER_KTIME);
  bytes.writeBigUInt64LE(1_234_567n, records.HEADER_SEQUENCE);
  bytes.writeBigUInt64LE(1_234_567_890_000n, records.HEADER_START);
  bytes.writeUInt32LE(43_210, records.HEADER_TGID);
  bytes.writeUInt32LE(43_210, records.HEADER_TID);
  bytes.writeUInt32LE(4711, records.HEADER_CGROUP);
  bytes.writeUInt32LE(length, records.HEADER_SIZE);
  bytes.writeUInt16LE(kind, records.HEADER_KIND);
  let end = size;
  for (const [at, kept] of texts) {
    bytes.writeUInt32LE(end, at);
    bytes.writeUInt32LE(kept, at + 4);
    bytes.writeUInt32LE(kept, at + 8);
    end += kept;
  }
  return bytes;
}

/** Returns the lowest ns per event of several rounds. */
function measure(round: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint();
    round();
    least = Math.min(least, Number(process.hrtime.bigint() - start) / EVENTS);
  }
  return least;
}

for (const shape of shapes) {
  const first = record(shape);
  const stride = first.length;
  const length = first.readUInt32LE(records.HEADER_SIZE);
  const bytes = Buffer.concat(Array.from({ length: EVENTS }, () => first));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const source = { bytes, view };
  const unsigned = new Batch(origin, { ...key, privateKey: key.privateKey }, 512 * 1024);
  const into = Buffer.allocUnsafe(bytes.length);
  const copy = measure(() => {
    for (let at = 0; at < bytes.length; at += stride) bytes.copy(into, at, at, at + length);
  });
  let batchBytes = 0;
  const whole = measure(() => {
    for (let at = 0; at < bytes.length; at += stride)
      if (isSound(view, at, length)) transcode(source, at, 1, false, unsigned);
    batchBytes = unsigned.takeFinished().reduce((sum, batch) => sum + batch.bytes.length, 0);
  });
  const signing = measure(() => {
    for (let at = 0; at < batchBytes; at += 512 * 1024)
      signBytes(key, into.subarray(0, Math.min(512 * 1024, batchBytes - at, into.length)));
  });
  const ratio = (whole / copy).toFixed(1);
  console.log(
    `${shape.name.padEnd(24)} ${whole.toFixed(0).padStart(5)} ns/event (signing: ${signing.toFixed(0)}), ${(batchBytes / EVENTS).toFixed(0)} bytes; a copy: ${copy.toFixed(0)} ns; ratio ${ratio}`,
  );
}
