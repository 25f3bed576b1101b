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

/** A ring in this process's memory, written like the kernel writes it. */
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

/** Makes an exit record, the shortest kind. `at` in µs. */
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

class Fixture {
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
  it('orders records by time, keeps the order within each lane, and prefers the security lane on a tie', () => {
    const fixture = new Fixture();
    const [security, bulk] = fixture.rings;
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
    fixture.open();
    assert.deepEqual(places(fixture.take()), ['0/1', '1/1', '1/2', '0/2', '0/3', '1/3', '0/4']);
  });

  it('marks exactly those records that arrive after later events were sent', () => {
    const fixture = new Fixture();
    const [security, bulk] = fixture.rings;
    security.write(record(10, 1));
    security.write(record(30, 2));
    fixture.open();
    assert.deepEqual(
      fixture.take().map(({ late }) => late),
      [false, false],
    );
    bulk.write(record(20, 1));
    bulk.write(record(30, 2));
    fixture.open();
    assert.deepEqual(
      fixture.take().map(({ late }) => late),
      [true, false],
    );
    assert.equal(fixture.merge.late, 1);
  });

  it('stops at a time and at a number of events, and continues from there', () => {
    const fixture = new Fixture();
    for (let sequence = 1; sequence <= 9; sequence++)
      fixture.rings[sequence % 2 ? 0 : 1].write(record(sequence * 10, sequence));
    fixture.open();
    assert.deepEqual(
      fixture.take(30).map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    assert.deepEqual(
      fixture.take(1000, 2).map(({ sequence }) => sequence),
      [4, 5],
    );
    for (const lane of fixture.lanes) lane.pause();
    fixture.open();
    assert.deepEqual(
      fixture.take().map(({ sequence }) => sequence),
      [6, 7, 8, 9],
    );
  });

  it('releases the space of the records that were taken, but not of those that were read ahead', () => {
    const fixture = new Fixture();
    const [security] = fixture.rings;
    for (let sequence = 1; sequence <= 4; sequence++) security.write(record(sequence, sequence));
    fixture.open();
    fixture.take(2);
    assert.equal(security.consumed, 0);
    for (const lane of fixture.lanes) lane.pause();
    for (const lane of fixture.lanes) lane.release();
    assert.equal(security.consumed, security.produced / 2);
    fixture.open();
    assert.deepEqual(places(fixture.take()), ['0/3', '0/4']);
  });

  it('stops before a record that is still being written', () => {
    const fixture = new Fixture();
    const [security] = fixture.rings;
    security.write(record(1, 1));
    security.write(record(2, 2), true);
    security.write(record(3, 3));
    fixture.open();
    assert.deepEqual(places(fixture.take()), ['0/1']);
    assert.equal(fixture.lanes[0].busy, true);
  });

  it('counts malformed records by CPU and takes the others', () => {
    const fixture = new Fixture();
    const [security] = fixture.rings;
    const broken = record(1, 1, 1, 7);
    broken.writeUInt16LE(99, records.HEADER_KIND);
    for (const bytes of [broken, record(2, 3), Buffer.alloc(4, 0xff), record(4, 4), broken]) security.write(bytes);
    fixture.open();
    assert.deepEqual(places(fixture.take()), ['0/3', '0/4']);
    assert.deepEqual([fixture.lanes[0].malformed[7], fixture.lanes[0].malformed[0]], [2, 1]);
  });

  it('assigns each event the interest that filtered it, even if it changed while records were in the rings', () => {
    const fixture = new Fixture();
    const [security, bulk] = fixture.rings;
    for (const [at, generation] of [
      [10, 1],
      [20, 1],
      [30, 2],
    ] as const)
      security.write(record(at, at, 1, 0, generation));
    bulk.write(record(15, 15, 1, 0, 1));
    bulk.write(record(40, 40, 1, 0, 2));
    fixture.open();
    fixture.merge.take(fixture.lanes, Number.POSITIVE_INFINITY, 1000);
    fixture.batch.filteredIn(3);
    const batches = fixture.batch.takeFinished().map(({ bytes }) => decode('RawBatch', bytes));
    assert.deepEqual(
      batches.map(({ interestVersion, events }) => [interestVersion, events.map(({ sequence }) => sequence)]),
      [
        [100, [10, 15, 20]],
        [200, [30, 40]],
      ],
    );
    assert.equal(fixture.batch.facts.interestVersion, 300, 'the interest of the next events');
  });

  it('reports each cgroup before the event that comes from it', () => {
    const fixture = new Fixture();
    fixture.rings[0].write(record(1, 1, 11));
    fixture.rings[0].write(record(2, 2, 22));
    fixture.open();
    fixture.take();
    assert.deepEqual(fixture.cgroups, [11, 22]);
  });
});
