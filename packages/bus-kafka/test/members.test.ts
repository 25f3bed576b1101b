import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertCounted, COUNTING, inputs } from '@ringfence/service-kit/conformance';
import { openKafkaBus } from '../src/bus.ts';
import type { KafkaBusOptions } from '../src/options.ts';
import { fleetOptions, missing } from './fleet.ts';

const CHILD = join(import.meta.dirname, 'member-child.ts');
const KEYS = Array.from({ length: 24 }, (_, i) => `host-${i}`);
const PARTITIONS = 6;

class Process {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: string[] = [];
  #waiter: (() => void) | null = null;

  constructor(t: TestContext, options: KafkaBusOptions, holdAt = '') {
    this.#child = spawn(process.execPath, ['--conditions=@ringfence/source', CHILD, JSON.stringify(options), holdAt], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => this.#child.kill('SIGKILL'));
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#lines.push(line);
      this.#waiter?.();
    });
  }

  /** How many times the process has printed the line. */
  count(line: string): number {
    return this.#lines.filter((printed) => printed === line).length;
  }

  /** Waits until the process has printed the line `times` times. */
  async prints(line: string, times = 1): Promise<void> {
    while (this.count(line) < times) await new Promise<void>((resolve) => (this.#waiter = resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  resume(): void {
    this.#child.stdin.write('resume\n');
  }

  async end(name: NodeJS.Signals): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.signal(name);
    await exited;
  }
}

async function started(t: TestContext, client: 'platformatic' | 'kafkajs') {
  const options = await fleetOptions({ client });
  const bus = await openKafkaBus(options);
  t.after(() => bus.close());
  await bus.ensureTopics(COUNTING.topics(PARTITIONS));
  return { bus, options };
}

/** A member that hangs must fail the test, and not block it for ever. */
const TEST_MS = 240_000;

describe('members of a group in separate processes', { skip: missing }, () => {
  for (const client of ['platformatic', 'kafkajs'] as const) {
    test(`are killed while they work, and every record takes effect once, in order (${client})`, {
      timeout: TEST_MS,
    }, async (t) => {
      const { bus, options } = await started(t, client);
      const members = [new Process(t, options), new Process(t, options)];
      let last = 0;
      for (let kill = 0; kill < 2; kill++) {
        const victim = members[kill % 2]!;
        const enough = victim.count('committed') + 2;
        // Keep producing, because the other member may process everything before this one has a partition.
        while (victim.count('committed') < enough) {
          await bus.produce(inputs(KEYS, last + 1, last + 5));
          last += 5;
          await sleep(200);
        }
        members[kill % 2] = new Process(t, options);
        await victim.end('SIGKILL');
      }
      await assertCounted(bus, KEYS, last);
      await Promise.all(members.map((member) => member.end('SIGTERM')));
    });
  }

  test('a member that was stopped and resumes after it has lost its partitions does no harm', {
    timeout: TEST_MS,
  }, async (t) => {
    const { bus, options } = await started(t, 'platformatic');
    const sleeper = new Process(t, options, 'before-commit');
    await bus.produce(inputs(KEYS, 1, 20));
    await sleeper.prints('holding');
    sleeper.signal('SIGSTOP');
    const successor = new Process(t, options);
    await successor.prints('committed', 5);
    await assertCounted(bus, KEYS, 20);
    sleeper.resume();
    sleeper.signal('SIGCONT');
    await sleeper.prints('lost');
    await bus.produce(inputs(KEYS, 21, 40));
    await assertCounted(bus, KEYS, 40);
    await Promise.all([successor.end('SIGTERM'), sleeper.end('SIGTERM')]);
  });
});
