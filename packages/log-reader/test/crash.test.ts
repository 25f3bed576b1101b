import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedBus } from '@ringfence/bus';
import { identity } from '@ringfence/testkit/agent';
import { TOPIC } from '@ringfence/wire';
import { LogPlace, parseRecord, startReader } from './support.ts';

const CHILD = join(import.meta.dirname, 'crash-child.ts');
const key = Buffer.from(identity.key.privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64');

async function start(place: LogPlace, point: string, count: number): Promise<ChildProcess> {
  const args = [place.stateDir, place.log, join(place.path, 'bus.db'), point, String(count), key];
  const child = spawn(process.execPath, ['--conditions=@ringfence/source', CHILD, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')]);
  return child;
}

/** A host that writes all the time, and rotates now and then. */
class Writer {
  written = 0;
  readonly #place: LogPlace;
  #rotations = 0;

  constructor(place: LogPlace) {
    this.#place = place;
    writeFileSync(place.log, '');
  }

  write(count: number): void {
    const lines = Array.from({ length: count }, () => `sshd[1]: this is line ${this.written++}, of some length\n`);
    appendFileSync(this.#place.log, lines.join(''));
  }

  rotate(): void {
    const { log } = this.#place;
    const copy = this.#rotations++ % 2 === 1;
    // An older rotated file must not be mistaken for the newer one.
    const old = `${log}.${this.#rotations}`;
    if (copy) {
      copyFileSync(log, old);
      truncateSync(log);
    } else renameSync(log, old);
  }
}

describe('a reader that is killed', () => {
  it('loses no line and assigns no line two numbers, wherever it is killed and however files are rotated', async () => {
    using place = new LogPlace();
    const writer = new Writer(place);
    for (let round = 0; round < 9; round++) {
      const point = ['before-state', 'after-state', 'after-bus'][round % 3] as string;
      const child = await start(place, round === 0 ? 'after-state' : point, 1 + 2 * (round % 3));
      const ended = once(child, 'exit');
      for (let i = 1; child.exitCode === null && child.signalCode === null; i++) {
        writer.write(7);
        if (i === 8 || i === 16) writer.rotate();
        await sleep(10);
      }
      await ended;
      assert.equal(child.signalCode, 'SIGKILL');
      for (let rotations = 0; rotations < round % 4; rotations++) {
        writer.write(5);
        writer.rotate();
        // A file system's clock may have steps of 4 ms.
        await sleep(10);
      }
      writer.write(5);
    }
    await using bus = await openEmbeddedBus({ path: join(place.path, 'bus.db') });
    await using _ = startReader(place, bus);
    const until = performance.now() + 60_000;
    const seen = new Map<number, string>();
    for (let distinct = 0; distinct < writer.written; distinct = new Set(seen.values()).size) {
      for await (const { value } of bus.read({ topic: TOPIC.logsRaw })) {
        for (const { message, ringfence } of parseRecord(value ?? new Uint8Array()).documents) {
          assert.equal(seen.get(ringfence.sequence) ?? message, message, 'two lines have one number');
          seen.set(ringfence.sequence, message);
        }
      }
      if (performance.now() > until) assert.fail(`only ${new Set(seen.values()).size} of ${writer.written} lines came`);
      await sleep(200);
    }
    assert.equal(seen.size, writer.written, 'a line has two numbers');
  });
});
