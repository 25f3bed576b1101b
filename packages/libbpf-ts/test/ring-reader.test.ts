import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RingReader } from '../src/index.ts';

const SIZE = 4096;
const PAGE = 4096;
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

/** Writes records as the kernel does. Ordinary memory cannot be mapped twice, so the data is written twice instead. */
class Writer {
  readonly consumer = new ArrayBuffer(PAGE);
  readonly producer = new ArrayBuffer(PAGE + 2 * SIZE);
  #position: bigint;

  constructor(start: bigint) {
    this.#position = start;
    new BigInt64Array(this.consumer)[0] = start;
    new BigInt64Array(this.producer)[0] = start;
  }

  get consumed(): bigint {
    return new BigInt64Array(this.consumer)[0]!;
  }

  reader(): RingReader {
    return new RingReader(this.consumer, this.producer, PAGE, SIZE);
  }

  /** Returns false if the ring is full. */
  write(payload: Uint8Array, flags = 0): boolean {
    const step = (payload.length + 15) & ~7;
    if (this.#position + BigInt(step) - this.consumed > SIZE - 1) return false;
    this.#put(Uint32Array.of((payload.length | flags) >>> 0, 0), payload);
    this.#position += BigInt(step);
    new BigInt64Array(this.producer)[0] = this.#position;
    return true;
  }

  /** Rewrites the header at a position, for example to submit a busy record. */
  header(position: bigint, value: number): void {
    const at = Number(position) & (SIZE - 1);
    for (const copy of [at, at + SIZE]) new DataView(this.producer, PAGE).setUint32(copy % (2 * SIZE), value, true);
  }

  #put(header: Uint32Array, payload: Uint8Array): void {
    const data = new Uint8Array(this.producer, PAGE);
    const bytes = [...new Uint8Array(header.buffer), ...payload];
    for (const [index, byte] of bytes.entries()) {
      const at = (Number(this.#position & BigInt(SIZE - 1)) + index) % SIZE;
      data[at] = byte;
      data[at + SIZE] = byte;
    }
  }
}

function drain(reader: RingReader): number[][] {
  const records: number[][] = [];
  while (reader.next()) records.push([...reader.bytes.subarray(reader.offset, reader.offset + reader.length)]);
  return records;
}

const start = fc.constantFrom(0n, 4088n, 2n ** 31n - 64n, 2n ** 32n - 128n, 2n ** 53n - 8n);

describe('ring reader', () => {
  test('returns the written records in order, at any position', () => {
    const record = fc.record({ payload: fc.uint8Array({ maxLength: 300 }), discard: fc.boolean() });
    fc.assert(
      fc.property(start, fc.array(fc.array(record, { maxLength: 12 }), { maxLength: 20 }), (from, rounds) => {
        const writer = new Writer(from);
        const reader = writer.reader();
        for (const round of rounds) {
          const kept = round.filter(({ payload, discard }) => writer.write(payload, discard ? DISCARD : 0) && !discard);
          reader.begin();
          assert.deepEqual(
            drain(reader),
            kept.map(({ payload }) => [...payload]),
          );
          reader.release();
          assert.equal(reader.pendingBytes(), 0);
          assert.equal(writer.consumed, new BigInt64Array(writer.producer)[0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('stops at a busy record and continues once it is submitted', () => {
    const writer = new Writer(0n);
    const reader = writer.reader();
    writer.write(Uint8Array.of(1));
    writer.write(Uint8Array.of(2), BUSY);
    writer.write(Uint8Array.of(3));
    reader.begin();
    assert.deepEqual(drain(reader), [[1]]);
    assert.equal(reader.busy, true);
    reader.release();
    assert.equal(writer.consumed, 16n);
    writer.header(16n, 1);
    reader.begin();
    assert.deepEqual(drain(reader), [[2], [3]]);
    assert.equal(reader.busy, false);
  });

  test('a record that extends past the producer position is an error', () => {
    const writer = new Writer(0n);
    const reader = writer.reader();
    writer.write(Uint8Array.of(1));
    writer.header(0n, 0x3fff_fff0);
    reader.begin();
    assert.throws(() => reader.next(), { code: 'ERR_BPF_RING' });
  });

  test('a distance of positions that exceeds the size of the ring is an error', () => {
    const writer = new Writer(0n);
    const reader = writer.reader();
    new BigInt64Array(writer.producer)[0] = BigInt(SIZE + 8);
    assert.throws(() => reader.begin(), { code: 'ERR_BPF_RING' });
  });
});
