import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertCounted, COUNTING, inputs } from '@ringfence/bus/conformance';
import { openKafkaBus } from '../../src/kafka/bus.ts';
import type { KafkaBusOptions } from '../../src/kafka/options.ts';
import { fleetOptions, missing } from './fleet.ts';

const CHILD = join(import.meta.dirname, 'member-child.ts');
const KEYS = Array.from({ length: 24 }, (_, i) => `host-${i}`);
const PARTITIONS = 6;

class Process {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: string[] = [];
  #waiter: (() => void) | null = null;

  constructor(t: TestContext, options: KafkaBusOptions, holdAt = '') {
    this.#child = spawn(process.execPath, ['--conditions=@ringfence/source', CHILD, JSON.stringify(options), holdAt], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => this.#child.kill('SIGKILL'));
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#said.push(line);
      this.#waiter?.();
    });
  }

  /** how often it has said so */
  count(line: string): number {
    return this.#said.filter((one) => one === line).length;
  }

  /** Waits until it has said so `times` times. */
  async says(line: string, times = 1): Promise<void> {
    while (this.count(line) < times) await new Promise<void>((resolve) => (this.#waiter = resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  goOn(): void {
    this.#child.stdin.write('go on\n');
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

/** A member that says nothing more is a failure, not a test without end. */
const TEST_MS = 240_000;

describe('members of a group in processes of their own', { skip: missing }, () => {
  for (const client of ['platformatic', 'kafkajs'] as const) {
    test(`are killed in the middle of work, and every record takes effect once, in order (${client})`, {
      timeout: TEST_MS,
    }, async (t) => {
      const { bus, options } = await started(t, client);
      const members = [new Process(t, options), new Process(t, options)];
      let last = 0;
      for (let kill = 0; kill < 2; kill++) {
        const victim = members[kill % 2]!;
        const enough = victim.count('committed') + 2;
        // As long as it takes: the other member may be done with all there is before this one has a partition.
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

  test('one that was stopped and wakes when its partitions are another’s spoils nothing', {
    timeout: TEST_MS,
  }, async (t) => {
    const { bus, options } = await started(t, 'platformatic');
    const sleeper = new Process(t, options, 'before-commit');
    await bus.produce(inputs(KEYS, 1, 20));
    await sleeper.says('holding');
    sleeper.signal('SIGSTOP');
    const other = new Process(t, options);
    await other.says('committed', 5);
    await assertCounted(bus, KEYS, 20);
    sleeper.goOn();
    sleeper.signal('SIGCONT');
    await sleeper.says('lost');
    await bus.produce(inputs(KEYS, 21, 40));
    await assertCounted(bus, KEYS, 40);
    await Promise.all([other.end('SIGTERM'), sleeper.end('SIGTERM')]);
  });
});
