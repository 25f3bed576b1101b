import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Batch } from '@ringfence/collector/batch';
import { identity } from '@ringfence/testkit/agent';
import { RawBatchReader, records } from '@ringfence/wire';
import fc from 'fast-check';
import { isSound } from '../src/records/record-check.ts';
import { transcode } from '../src/records/transcode.ts';
import { signedMicros } from '../src/records/write-field.ts';
import { encodeEvent, sample } from './records.ts';

const newBatch = (maxBytes = 512 * 1024): Batch =>
  new Batch({ ...identity, run: Buffer.alloc(8, 1) }, identity.key, maxBytes);

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Returns the encoded events of the finished batches. */
function encodedEvents(batch: Batch): Buffer[] {
  const reader = new RawBatchReader();
  const out: Buffer[] = [];
  for (const { bytes } of batch.takeFinished()) {
    reader.open(bytes);
    while (reader.next())
      out.push(Buffer.from(reader.cursor.buffer.subarray(reader.cursor.eventAt, reader.cursor.eventEnd)));
  }
  return out;
}

describe('transcoding a kernel record', () => {
  it('produces the same bytes as avsc, wherever the record lies in memory', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 5 }), fc.nat(64), (samples, shift) => {
        const bytes = Buffer.concat([Buffer.alloc(shift), ...samples.map(({ record }) => record)]);
        const source = { bytes, view: viewOf(bytes) };
        const batch = newBatch();
        let at = shift;
        for (const { record } of samples) {
          assert.ok(isSound(source.view, at, record.length));
          transcode(source, at, 0, false, batch);
          at += record.length;
        }
        const events = encodedEvents(batch);
        assert.equal(events.length, samples.length);
        samples.forEach(({ event }, index) => {
          assert.deepEqual(events[index], encodeEvent(event));
        });
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('splits batches by size without losing an event', () => {
    const samples = fc.sample(sample, { numRuns: 200, seed: 7 });
    const batch = newBatch(4096);
    for (const { record } of samples) transcode({ bytes: record, view: viewOf(record) }, 0, 0, false, batch);
    assert.deepEqual(
      encodedEvents(batch),
      samples.map(({ event }) => encodeEvent(event)),
    );
  });

  it('rounds times before the epoch down, exactly for every nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (nanos) => {
        const low = Number(BigInt.asUintN(32, nanos));
        const high = Number(BigInt.asUintN(32, nanos >> 32n));
        const floor = nanos >= 0n || nanos % 1000n === 0n ? nanos / 1000n : nanos / 1000n - 1n;
        const micros = signedMicros(low, high);
        const most = BigInt(Number.MAX_SAFE_INTEGER - 1);
        assert.equal(BigInt(micros), floor > most ? most : floor < -most ? -most : floor);
      }),
    );
  });
});

describe('a malformed kernel record', () => {
  const fields = [records.HEADER_SIZE, records.HEADER_KIND, records.HEADER_KTIME + 4, records.HEADER_SEQUENCE + 4];

  it('is rejected or becomes a readable event; the transcoder never throws and never reads outside of the record', () => {
    const hostile = fc.tuple(
      sample,
      fc.integer({ min: 0, max: 300 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat(400),
    );
    fc.assert(
      fc.property(hostile, ([{ record }, at, garbage, cut]) => {
        const broken = Buffer.from(record);
        Buffer.from(garbage).copy(broken, at % Math.max(1, broken.length - 4));
        const length = Math.max(0, broken.length - (cut > 200 ? cut - 200 : 0));
        const exact = Buffer.from(broken.subarray(0, length));
        if (length < records.SIZEOF_HEADER || !isSound(viewOf(exact), 0, length)) return;
        const batch = newBatch();
        transcode({ bytes: exact, view: viewOf(exact) }, 0, 0, false, batch);
        assert.equal(encodedEvents(batch).length, 1);
      }),
      { numRuns: 2000, endOnFailure: true },
    );
  });

  it('is rejected when its size, kind, time or sequence number is invalid', () => {
    for (const field of fields) {
      const [{ record } = { record: Buffer.alloc(0) }] = fc.sample(sample, { numRuns: 1, seed: 1 });
      record.writeUInt16LE(
        0xfffe,
        field === records.HEADER_KTIME + 4 || field === records.HEADER_SEQUENCE + 4 ? field + 2 : field,
      );
      assert.equal(isSound(viewOf(record), 0, record.length), false, `field at ${field}`);
    }
  });

  it('is rejected when its sequence number or exec id is one that no reader of the batch accepts', () => {
    for (const field of [records.HEADER_SEQUENCE, records.HEADER_EXEC_ID]) {
      const [{ record } = { record: Buffer.alloc(0) }] = fc.sample(sample, { numRuns: 1, seed: 1 });
      record.writeBigUInt64LE(2n ** 53n - 1n, field);
      assert.equal(isSound(viewOf(record), 0, record.length), false, `field at ${field}`);
      record.writeBigUInt64LE(2n ** 52n, field);
      assert.ok(isSound(viewOf(record), 0, record.length), `field at ${field}`);
    }
  });

  it('is rejected when a text points outside of it', () => {
    const open = fc.sample(sample, { numRuns: 200, seed: 3 }).find(({ event }) => 'ringfence.Open' in event.body);
    assert.ok(open);
    for (const [field, value] of [
      [records.TEXT_OFFSET, open.record.length],
      [records.TEXT_OFFSET, 0],
      [records.TEXT_KEPT, 0xffffffff],
      [records.TEXT_LENGTH, 0xffffffff],
    ] as const) {
      const broken: Buffer = Buffer.from(open.record);
      broken.writeUInt32LE(
        Math.max(1, broken.readUInt32LE(records.OPEN_PATH + records.TEXT_KEPT)),
        records.OPEN_PATH + records.TEXT_KEPT,
      );
      broken.writeUInt32LE(value, records.OPEN_PATH + field);
      assert.equal(isSound(viewOf(broken), 0, broken.length), false, `${field} = ${value}`);
    }
  });
});
