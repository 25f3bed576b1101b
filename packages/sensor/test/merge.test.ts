import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Batch } from '@ringfence/collector/batch';
import { RingReader } from '@ringfence/libbpf-ts';
import { identity } from '@ringfence/testkit/agent';
import { decode, type Event, LANE, records } from '@ringfence/wire';
import { LaneReader } from '../src/records/lane-reader.ts';
import { Merge } from '../src/records/merge.ts';

const PAGE = 4096;
const SIZE = 64 * 1024;

/** A ring in memory of our own, written as the kernel writes it. */
class TestRing {
  readonly #consumer = new ArrayBuffer(PAGE);
  readonly #producer = new ArrayBuffer(PAGE + 2 * SIZE);
  readonly reader: RingReader;
  #end = 0;

  constructor() {
    this.reader = new RingReader(this.#consumer, this.#producer, PAGE, SIZE);
  }

  get consumed(): number {
    return Number(new BigInt64Array(this.#consumer)[0]);
  }

  get produced(): number {
    return this.#end;
  }

  write(record: Buffer, busy = false): void {
    const view = new DataView(this.#producer, PAGE);
    view.setUint32(this.#end, busy ? (record.length | 0x8000_0000) >>> 0 : record.length, true);
    Buffer.from(this.#producer, PAGE).set(record, this.#end + 8);
    this.#end += (record.length + 8 + 7) & ~7;
    new DataView(this.#producer).setBigUint64(0, BigInt(this.#end), true);
  }
}

/** An exit record: the shortest. `at` in µs. */
function record(at: number, sequence: number, cgroup = 1, cpu = 0, generation = 0): Buffer {
  const bytes = Buffer.alloc(records.SIZEOF_EXIT);
  bytes.writeBigUInt64LE(BigInt(at) * 1000n, records.HEADER_KTIME);
  bytes.writeBigUInt64LE(BigInt(sequence), records.HEADER_SEQUENCE);
  bytes.writeBigUInt64LE(BigInt(cgroup), records.HEADER_CGROUP);
  bytes.writeUInt32LE(bytes.length, records.HEADER_SIZE);
  bytes.writeUInt16LE(records.Kind.EXIT, records.HEADER_KIND);
  bytes.writeUInt8(cpu, records.HEADER_CPU);
  bytes.writeUInt8(generation, records.HEADER_GENERATION);
  return bytes;
}

class Bench {
  readonly rings: [TestRing, TestRing] = [new TestRing(), new TestRing()];
  readonly lanes: [LaneReader, LaneReader] = [
    new LaneReader(LANE.security, this.rings[0].reader),
    new LaneReader(LANE.bulk, this.rings[1].reader),
  ];
  readonly batch: Batch = new Batch(
    { ...identity, run: Buffer.alloc(8) },
    identity.key,
    1 << 19,
    (generation) => generation * 100,
  );
  readonly cgroups: number[] = [];
  readonly merge: Merge = new Merge(this.batch, (low) => this.cgroups.push(low));

  open(): void {
    for (const lane of this.lanes) lane.open();
  }

  take(until: number = Number.POSITIVE_INFINITY, most = 1000): Event[] {
    this.merge.take(this.lanes, until, most);
    return this.batch.takeFinished().flatMap(({ bytes }) => decode('RawBatch', bytes).events);
  }
}

const places = (events: readonly Event[]): string[] => events.map(({ lane, sequence }) => `${lane}/${sequence}`);

describe('merging the lanes', () => {
  it('goes by time, each lane in its own order, the security lane first on a tie', () => {
    const bench = new Bench();
    const [security, bulk] = bench.rings;
    for (const [at, sequence] of [
      [10, 1],
      [30, 2],
      [25, 3],
      [50, 4],
    ] as const)
      security.write(record(at, sequence));
    for (const [at, sequence] of [
      [10, 1],
      [28, 2],
      [40, 3],
    ] as const)
      bulk.write(record(at, sequence));
    bench.open();
    assert.deepEqual(places(bench.take()), ['0/1', '1/1', '1/2', '0/2', '0/3', '1/3', '0/4']);
  });

  it('marks what comes after later events were sent, and only that', () => {
    const bench = new Bench();
    const [security, bulk] = bench.rings;
    security.write(record(10, 1));
    security.write(record(30, 2));
    bench.open();
    assert.deepEqual(
      bench.take().map(({ late }) => late),
      [false, false],
    );
    bulk.write(record(20, 1));
    bulk.write(record(30, 2));
    bench.open();
    assert.deepEqual(
      bench.take().map(({ late }) => late),
      [true, false],
    );
    assert.equal(bench.merge.late, 1);
  });

  it('stops at a time and at a number, and goes on where it was', () => {
    const bench = new Bench();
    for (let sequence = 1; sequence <= 9; sequence++)
      bench.rings[sequence % 2 ? 0 : 1].write(record(sequence * 10, sequence));
    bench.open();
    assert.deepEqual(
      bench.take(30).map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    assert.deepEqual(
      bench.take(1000, 2).map(({ sequence }) => sequence),
      [4, 5],
    );
    for (const lane of bench.lanes) lane.pause();
    bench.open();
    assert.deepEqual(
      bench.take().map(({ sequence }) => sequence),
      [6, 7, 8, 9],
    );
  });

  it('gives room back for what was taken, and for nothing that was only looked at', () => {
    const bench = new Bench();
    const [security] = bench.rings;
    for (let sequence = 1; sequence <= 4; sequence++) security.write(record(sequence, sequence));
    bench.open();
    bench.take(2);
    assert.equal(security.consumed, 0);
    for (const lane of bench.lanes) lane.pause();
    for (const lane of bench.lanes) lane.release();
    assert.equal(security.consumed, security.produced / 2);
    bench.open();
    assert.deepEqual(places(bench.take()), ['0/3', '0/4']);
  });

  it('waits before a record that is still being written', () => {
    const bench = new Bench();
    const [security] = bench.rings;
    security.write(record(1, 1));
    security.write(record(2, 2), true);
    security.write(record(3, 3));
    bench.open();
    assert.deepEqual(places(bench.take()), ['0/1']);
    assert.equal(bench.lanes[0].busy, true);
  });

  it('counts malformed records by CPU and takes the others', () => {
    const bench = new Bench();
    const [security] = bench.rings;
    const broken = record(1, 1, 1, 7);
    broken.writeUInt16LE(99, records.HEADER_KIND);
    for (const bytes of [broken, record(2, 3), Buffer.alloc(4, 0xff), record(4, 4), broken]) security.write(bytes);
    bench.open();
    assert.deepEqual(places(bench.take()), ['0/3', '0/4']);
    assert.deepEqual([bench.lanes[0].malformed[7], bench.lanes[0].malformed[0]], [2, 1]);
  });

  it('names for each event the interest that it was filtered with, also of what was in the rings before the last', () => {
    const bench = new Bench();
    const [security, bulk] = bench.rings;
    for (const [at, generation] of [
      [10, 1],
      [20, 1],
      [30, 2],
    ] as const)
      security.write(record(at, at, 1, 0, generation));
    bulk.write(record(15, 15, 1, 0, 1));
    bulk.write(record(40, 40, 1, 0, 2));
    bench.open();
    bench.merge.take(bench.lanes, Number.POSITIVE_INFINITY, 1000);
    bench.batch.filteredIn(3);
    const batches = bench.batch.takeFinished().map(({ bytes }) => decode('RawBatch', bytes));
    assert.deepEqual(
      batches.map(({ interestVersion, events }) => [interestVersion, events.map(({ sequence }) => sequence)]),
      [
        [100, [10, 15, 20]],
        [200, [30, 40]],
      ],
    );
    assert.equal(bench.batch.facts.interestVersion, 300, 'of what comes now');
  });

  it('tells each cgroup before the event that comes from it', () => {
    const bench = new Bench();
    bench.rings[0].write(record(1, 1, 11));
    bench.rings[0].write(record(2, 2, 22));
    bench.open();
    bench.take();
    assert.deepEqual(bench.cgroups, [11, 22]);
  });
});
