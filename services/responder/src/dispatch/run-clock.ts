import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import type { CompiledResponderOptions } from '../config.ts';
import type { ResponderMetrics } from '../metrics.ts';
import { activeRuns } from '../playbook/runs.ts';
import type { Memory } from '../state/memory.ts';
import { OutageLog } from './common.ts';

export interface RunClockDeps {
  readonly bus: Pick<Bus, 'produce'>;
  /** Signs the signals. */
  readonly key: SigningKey;
  readonly options: CompiledResponderOptions;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** µs since the epoch */
  readonly now: () => number;
}

/** A signal is written again after this time, until it has been read. */
const AGAIN_MS = 10_000;

/**
 * Writes a signal for each run of the assigned partitions whose pause or deadline is over. The run itself changes only
 * when the signal is read: so each change has its place in the order of the partition, and a crash repeats it.
 */
export class RunClock {
  readonly #deps: RunClockDeps;
  readonly #memories = new Map<number, Memory>();
  /** When a signal was last written, by run and due time; ms, monotonic */
  readonly #signalled = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(deps: RunClockDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  add(partition: number, memory: Memory): void {
    this.#memories.set(partition, memory);
  }

  remove(partition: number): void {
    this.#memories.delete(partition);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { options, metrics, log } = this.#deps;
    const outage = new OutageLog();
    while (!this.#stop.signal.aborted) {
      try {
        await this.#signalDue();
        outage.succeed();
      } catch (err) {
        metrics.failed('runs');
        outage.fail(() => log.warn({ err }, 'runs of playbooks could not be moved on; it is tried again'));
      }
      await sleep(options.routeAgainMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  async #signalDue(): Promise<void> {
    const { bus, key, metrics } = this.#deps;
    const [at, now] = [this.#deps.now(), performance.now()];
    const runs = [...this.#memories.values()].flatMap(activeRuns);
    metrics.activeRuns = runs.length;
    const due = runs.filter((run) => run.due <= at);
    const names = new Set(due.map(nameOf));
    for (const name of this.#signalled.keys()) if (!names.has(name)) this.#signalled.delete(name);
    const unsaid = due.filter((run) => now - (this.#signalled.get(nameOf(run)) ?? Number.NEGATIVE_INFINITY) > AGAIN_MS);
    if (unsaid.length === 0) return;
    await bus.produce(
      unsaid.map(({ id, hostId, step }) => {
        const value = encodeSigned('RunSignal', { id, hostId, step, at, begun: null, approvals: [] }, key);
        return { topic: TOPIC.runs, key: hostId, value };
      }),
    );
    for (const run of unsaid) this.#signalled.set(nameOf(run), now);
  }
}

const nameOf = ({ id, due }: { readonly id: string; readonly due: number }): string => `${id} ${due}`;
