import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ifReadable } from '@ringfence/host-kit';
import { memoryBus } from '@ringfence/testkit/agent';
import { documentsOn, type LogPlace, linesOn, LogPlace as Place, startReader } from './support.ts';

const messages = (documents: readonly { readonly message: string }[]): string[] =>
  documents.map(({ message }) => message);
const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const write = (place: LogPlace, from: number, to: number): void =>
  appendFileSync(
    place.log,
    lines(from, to)
      .map((line) => `${line}\n`)
      .join(''),
  );

/** Waits until this process watches the file with inotify. */
async function isWatched(path: string): Promise<void> {
  const inode = statSync(path).ino.toString(16);
  const isInotify = (fd: string): boolean =>
    ifReadable(() => readlinkSync(`/proc/self/fd/${fd}`)) === 'anon_inode:inotify';
  for (;;) {
    const watches = readdirSync('/proc/self/fd')
      .filter(isInotify)
      .map((fd) => readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
    if (watches.some((text) => text.includes(` ino:${inode} `))) return;
    await sleep(10);
  }
}

describe('log files', () => {
  it('are read from their end at the very first start, and from their start if they appear later', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, 'old\nhalf a li');
    const later = join(place.path, 'secure');
    await using reader = startReader(place, bus, { files: [place.log, later] });
    assert.equal(reader.stats().logs.files, 1);
    appendFileSync(place.log, 'ne\nnew\n');
    writeFileSync(later, 'first\n');
    const found = await linesOn(bus, 3);
    assert.deepEqual(messages(found).sort(), ['first', 'half a line', 'new']);
    assert.equal(found.find(({ message }) => message === 'new')?.log.offset, 16);
    assert.equal(found.find(({ message }) => message === 'first')?.log.file?.path, later);
  });

  it('wake the reader after a long pause: by a line, by a rotation, and by lines in a rotated file', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    const day = 86_400_000;
    await using _ = startReader(place, bus, { restMs: day, retiredMs: 200 });
    write(place, 0, 1);
    await linesOn(bus, 1);
    for (let round = 1; round < 4; round++) {
      await isWatched(place.log);
      write(place, round, round + 1);
      await linesOn(bus, round + 1);
    }
    await isWatched(place.log);
    renameSync(place.log, `${place.log}.1`);
    appendFileSync(`${place.log}.1`, 'line 4\n');
    write(place, 5, 6);
    assert.deepEqual(messages(await linesOn(bus, 6)).sort(), lines(0, 6));
    await isWatched(place.log);
    write(place, 6, 7);
    await linesOn(bus, 7);
  });

  it("report their path without the root of the host's file system", async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using _ = startReader(place, bus, { root: place.path, files: ['/auth.log'] });
    write(place, 0, 1);
    assert.equal((await linesOn(bus, 1))[0]?.log.file?.path, '/auth.log');
  });

  it('are followed when they are renamed, even while the writer still uses the old file', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using _ = startReader(place, bus);
    write(place, 0, 10);
    renameSync(place.log, `${place.log}.1`);
    appendFileSync(`${place.log}.1`, 'line 10\n');
    await linesOn(bus, 11);
    write(place, 11, 20);
    appendFileSync(`${place.log}.1`, 'to the old one\n');
    const found = messages(await linesOn(bus, 21));
    assert.deepEqual(
      found.filter((line) => line.startsWith('line')),
      lines(0, 20),
    );
    assert.ok(found.includes('to the old one'));
  });

  it('are followed when they are copied and truncated; unread lines are read from the copy', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    let away = false;
    const flaky = {
      produce: (records: Parameters<typeof bus.produce>[0]) =>
        away ? Promise.reject(Object.assign(new Error('away'), { fate: 'retriable' })) : bus.produce(records),
    };
    await using reader = startReader(place, flaky);
    write(place, 0, 10);
    await linesOn(bus, 10);
    away = true;
    write(place, 10, 20);
    while (reader.stats().logs.refusals === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    write(place, 20, 40);
    copyFileSync(place.log, `${place.log}.1`);
    truncateSync(place.log);
    write(place, 40, 90);
    away = false;
    assert.deepEqual(messages(await linesOn(bus, 90)).sort(), lines(0, 90).sort());
    assert.equal(reader.stats().logEvents['rewritten'], 1);
  });

  it('are read through several rotations of both kinds between two scans', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    let away = false;
    const flaky = {
      produce: (records: Parameters<typeof bus.produce>[0]) =>
        away ? Promise.reject(Object.assign(new Error('away'), { fate: 'retriable' })) : bus.produce(records),
    };
    await using reader = startReader(place, flaky);
    write(place, 0, 10);
    await linesOn(bus, 10);
    away = true;
    write(place, 10, 20);
    while (reader.stats().logs.refusals === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const [n, copy] of [true, false, true, false].entries()) {
      write(place, 20 + n * 20, 40 + n * 20);
      if (copy) {
        copyFileSync(place.log, `${place.log}.${n}`);
        truncateSync(place.log);
      } else renameSync(place.log, `${place.log}.${n}`);
    }
    write(place, 100, 110);
    away = false;
    assert.deepEqual(messages(await linesOn(bus, 110)).sort(), lines(0, 110).sort());
  });

  it('are read again if they are rewritten with more than was read', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using _ = startReader(place, bus);
    write(place, 0, 3);
    await linesOn(bus, 3);
    writeFileSync(place.log, `${lines(100, 120).join('\n')}\n`);
    assert.deepEqual(messages(await linesOn(bus, 23)).slice(3), lines(100, 120));
  });

  it('continue after a restart that missed two rotations', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    {
      await using _ = startReader(place, bus);
      write(place, 0, 5);
      await linesOn(bus, 5);
    }
    write(place, 5, 9);
    renameSync(place.log, `${place.log}.1`);
    renameSync(`${place.log}.1`, `${place.log}.2`);
    write(place, 20, 25);
    await using reader = startReader(place, bus);
    await linesOn(bus, 14);
    assert.deepEqual(messages(await documentsOn(bus)), [...lines(0, 9), ...lines(20, 25)]);
    assert.equal(reader.stats().logs.files, 2);
    const sequences = (await documentsOn(bus)).map(({ ringfence }) => ringfence.sequence);
    assert.deepEqual(
      sequences,
      lines(0, 14).map((_, i) => i + 1),
    );
  });

  it('are counted if they are gone after a restart', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    {
      await using _ = startReader(place, bus);
      write(place, 0, 5);
      await linesOn(bus, 5);
    }
    unlinkSync(place.log);
    await using reader = startReader(place, bus);
    assert.equal(reader.stats().logEvents['vanished'], 1);
  });

  it('are closed some time after they were renamed, with their unfinished last line', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using reader = startReader(place, bus, { retiredMs: 1 });
    appendFileSync(place.log, 'one\nnever ended');
    await linesOn(bus, 1);
    unlinkSync(place.log);
    assert.deepEqual(messages(await linesOn(bus, 2)), ['one', 'never ended']);
    while (reader.stats().logs.files > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('of a pattern are read once, whatever they are renamed to', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    await using reader = startReader(place, bus, { files: [join(place.path, 'a*.log*')] });
    write(place, 0, 5);
    await linesOn(bus, 5);
    renameSync(place.log, `${place.log}.1`);
    write(place, 5, 9);
    writeFileSync(join(place.path, 'other.log'), 'not meant\n');
    assert.deepEqual(messages(await linesOn(bus, 9)), lines(0, 9));
    assert.equal(reader.stats().logs.files, 2);
  });

  it('are not read, but counted, if they are links, folders or devices', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    mkdirSync(join(place.path, 'folder'));
    symlinkSync('/etc/shadow', place.log);
    await using reader = startReader(place, bus, { files: [place.log, join(place.path, 'folder'), '/dev/zero'] });
    assert.equal(reader.stats().logs.files, 0);
    assert.equal(reader.stats().logEvents['unreadable'], 3);
  });
});

describe('hostile lines', () => {
  it('are cut at 16 KiB, with their true length', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using _ = startReader(place, bus);
    const huge = 'x'.repeat(3_000_000);
    appendFileSync(place.log, `${huge}\nafter\n`);
    const [first, second] = await linesOn(bus, 2);
    assert.equal(first?.message.length, 16_384);
    assert.equal(first?.ringfence.length, 3_000_000);
    assert.deepEqual(first?.log.flags, ['truncated']);
    assert.deepEqual([second?.message, second?.log.offset], ['after', 3_000_001]);
  });

  it('with NUL, escape sequences, invalid UTF-8 or JSON remain one line each', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using _ = startReader(place, bus);
    const bad = [
      Buffer.from('nul \0 and \x1b[31mred\x1b[0m'),
      Buffer.from([0x62, 0xff, 0xfe, 0x62]),
      Buffer.from('"}\\n{"ringfence":{"sequence":999}}'),
      Buffer.from('dos\r'),
      Buffer.from('\u2028 separator'),
    ];
    appendFileSync(place.log, Buffer.concat(bad.flatMap((line) => [line, Buffer.from('\n\n')])));
    const found = await linesOn(bus, bad.length);
    assert.deepEqual(messages(found), [
      'nul \0 and \x1b[31mred\x1b[0m',
      'b\\xff\\xfeb',
      '"}\\n{"ringfence":{"sequence":999}}',
      'dos',
      '\u2028 separator',
    ]);
    assert.deepEqual(
      found.map(({ ringfence }) => ringfence.sequence),
      [1, 2, 3, 4, 5],
    );
  });

  it('beyond the rate limit are dropped and counted, and leave a gap in the sequence numbers', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using reader = startReader(place, bus, { linesPerSecond: 1 });
    write(place, 0, 5000);
    while ((reader.stats().logDrops['log_rate'] ?? 0) < 4000) await new Promise((resolve) => setTimeout(resolve, 5));
    await reader.close();
    const found = await documentsOn(bus);
    const dropped = reader.stats().logDrops['log_rate'] ?? 0;
    assert.ok(found.length >= 10);
    assert.equal(found.length + dropped, 5000);
    assert.deepEqual(messages(found.slice(0, 10)), lines(0, 10));
  });

  it('of any length are not held in memory, such as a file without a line break', async () => {
    using place = new Place();
    await using bus = await memoryBus();
    writeFileSync(place.log, '');
    await using reader = startReader(place, bus);
    truncateSync(place.log, 64 << 20);
    appendFileSync(place.log, '\nend\n');
    const found = await linesOn(bus, 2);
    assert.equal(found[0]?.ringfence.length, 64 << 20);
    assert.equal(found[1]?.message, 'end');
    assert.equal(statSync(place.log).size, (64 << 20) + 5);
    assert.equal(reader.stats().logs.lines, 2);
  });
});
