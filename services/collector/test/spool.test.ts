import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Spool } from '../src/delivery/spool.ts';
import { SpoolError } from '../src/errors.ts';
import { numbered, numberOf, SpoolDirectory } from './spool-directory.ts';

/** Returns the numbers of the waiting batches that `peek` returns. */
const waiting = (spool: Spool, maxBytes = 2 << 20): number[] => spool.peek(maxBytes).batches.map(numberOf);

/** Overwrites a byte of the last record in the first segment. */
function damageSegment(directory: SpoolDirectory): void {
  const [segment = ''] = directory.segments();
  const bytes = readFileSync(segment);
  bytes[bytes.length - 5] = 0xff;
  writeFileSync(segment, bytes);
}

describe('the spool', () => {
  it('returns batches of both classes in their order and removes delivered ones', () => {
    using directory = new SpoolDirectory();
    const spool = new Spool(directory.path, 1 << 20);
    for (let number = 1; number <= 9; number++) spool.append(number % 2 ? 'bulk' : 'security', numbered(number), []);
    assert.deepEqual(waiting(spool, 4500), [1, 2, 3, 4, 5]);
    assert.deepEqual(waiting(spool, 4500), [1, 2, 3, 4, 5]);
    spool.markDelivered(spool.peek(4500).upTo);
    assert.deepEqual(waiting(spool), [6, 7, 8, 9]);
    spool.markDelivered(spool.peek(1 << 20).upTo);
    assert.ok(spool.isEmpty);
    assert.deepEqual(directory.segments(), []);
    spool.close();
  });

  it('continues the order after it is reopened', () => {
    using directory = new SpoolDirectory();
    const before = new Spool(directory.path, 1 << 20);
    before.append('security', numbered(1), [[0, 1, 5]]);
    before.append('bulk', numbered(2), [[1, 0, 7]]);
    before.close();
    const after = new Spool(directory.path, 1 << 20);
    after.append('security', numbered(3), []);
    assert.deepEqual(waiting(after), [1, 2, 3]);
    after.close();
  });

  it('cuts off a torn record, reports its size and keeps the whole records', () => {
    using directory = new SpoolDirectory();
    const before = new Spool(directory.path, 1 << 20);
    for (let number = 1; number <= 3; number++) before.append('security', numbered(number), []);
    before.close();
    const [segment = ''] = directory.segments();
    const whole = readFileSync(segment).length;
    truncateSync(segment, whole - 10);
    const after = new Spool(directory.path, 1 << 20);
    assert.deepEqual(waiting(after), [1, 2]);
    assert.equal(after.cutBytes, whole / 3 - 10);
    after.append('security', numbered(4), []);
    assert.deepEqual(waiting(after), [1, 2, 4]);
    after.close();
  });

  it('finds a changed byte by the checksum', () => {
    using directory = new SpoolDirectory();
    const before = new Spool(directory.path, 1 << 20);
    for (let number = 1; number <= 2; number++) before.append('security', numbered(number), []);
    before.close();
    damageSegment(directory);
    const after = new Spool(directory.path, 1 << 20);
    assert.deepEqual(waiting(after), [1]);
    assert.ok(after.cutBytes > 0);
    after.close();
  });

  it('counts batches that the disk damages while they wait, across a restart', () => {
    using directory = new SpoolDirectory();
    const spool = new Spool(directory.path, 1 << 20);
    for (let number = 1; number <= 2; number++) spool.append('security', numbered(number), [[0, 3, 5]]);
    damageSegment(directory);
    assert.deepEqual(waiting(spool), [1]);
    assert.equal(spool.dropped(0, 3), 5);
    spool.close();
    const after = new Spool(directory.path, 1 << 20);
    assert.equal(after.dropped(0, 3), 5);
    after.close();
  });

  it('survives files of pure noise', () => {
    using directory = new SpoolDirectory();
    writeFileSync(join(directory.path, 'security-0000000000000001.spool'), Buffer.alloc(5000, 0xa5));
    writeFileSync(join(directory.path, 'dropped.json'), '[["0/0",{}],["x",1]');
    const spool = new Spool(directory.path, 1 << 20);
    assert.ok(spool.isEmpty);
    assert.equal(spool.cutBytes, 5000);
    spool.close();
  });

  it('drops the oldest bulk batches first when it is full, and counts their events by lane and CPU', () => {
    using directory = new SpoolDirectory();
    const spool = new Spool(directory.path, 1 << 20);
    for (let number = 1; number <= 300; number++) {
      const isBulk = number % 2 === 0;
      spool.append(isBulk ? 'bulk' : 'security', numbered(number, 5000), [[isBulk ? 1 : 0, 3, 10]]);
      assert.ok(spool.bytes <= 1 << 20);
    }
    const kept = waiting(spool);
    assert.equal(spool.dropped(0, 3), 0);
    assert.equal(spool.dropped(1, 3), spool.droppedBatches * 10);
    assert.equal(kept.length + spool.droppedBatches, 300);
    assert.equal(kept.filter((number) => number % 2 === 1).length, 150);
    spool.close();
    const after = new Spool(directory.path, 1 << 20);
    assert.equal(after.dropped(1, 3), spool.dropped(1, 3));
    after.close();
  });

  it('drops security batches when no bulk batch is left', () => {
    using directory = new SpoolDirectory();
    const spool = new Spool(directory.path, 1 << 20);
    for (let number = 1; number <= 300; number++) spool.append('security', numbered(number, 5000), [[0, 0, 1]]);
    assert.equal(waiting(spool).length + spool.dropped(0, 0), 300);
    assert.equal(waiting(spool).at(-1), 300);
    spool.close();
  });

  it('names the directory that it cannot use', () => {
    using directory = new SpoolDirectory();
    const file = join(directory.path, 'file');
    writeFileSync(file, '');
    assert.throws(
      () => new Spool(file, 1 << 20),
      (error: unknown) => error instanceof SpoolError && error.path === file,
    );
  });

  it('keeps every acknowledged batch, whole and in order, after a kill -9 in the middle of a write', async () => {
    using directory = new SpoolDirectory();
    const script = join(import.meta.dirname, 'programs/spool-child.ts');
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--conditions=@ringfence/source', script, directory.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let printed = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (printed.length > 200 + round * 30) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const acknowledged = Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1));
      const spool = new Spool(directory.path, 64 << 20);
      const { batches, upTo } = spool.peek(64 << 20);
      assert.ok(batches.length >= acknowledged && batches.length <= acknowledged + 1);
      batches.forEach((batch, index) => {
        assert.equal(batch.length, 20_001 + index);
        assert.ok(batch.every((byte) => byte === ((index + 1) & 0xff)));
      });
      spool.markDelivered(upTo);
      spool.close();
    }
  });
});
