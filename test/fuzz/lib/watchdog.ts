import { Worker } from 'node:worker_threads';

/**
 * An input that takes more CPU time, or more time in all, is a finding, although nothing is thrown. A busy machine may
 * leave a process without CPU time for minutes.
 */
const STUCK_CPU_MS = 30_000;
const STUCK_MS = 300_000;

const SOURCE = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { shared, target, stuckCpuMs, stuckMs } = workerData;
const state = new Int32Array(shared, 0, 2);
let seen = 0;
let since = Date.now();
let cpu = process.cpuUsage();
setInterval(() => {
  const run = Atomics.load(state, 0);
  if (run !== seen || run % 2 === 0) { seen = run; since = Date.now(); cpu = process.cpuUsage(); return; }
  const { user, system } = process.cpuUsage(cpu);
  const [cpuMs, ms] = [(user + system) / 1000, Date.now() - since];
  if (cpuMs < stuckCpuMs && ms < stuckMs) return;
  const text = Buffer.from(new Uint8Array(shared, 8, Atomics.load(state, 1))).toString();
  writeSync(2, target + ': ' + text + ': no outcome after ' + Math.round(cpuMs / 1000) + ' s of CPU time, ' + Math.round(ms / 1000) + ' s in all\\n');
  process.kill(process.pid, 'SIGKILL');
}, 1000);
`;

/** Names the input on which the process is stuck, and ends the process: a loop would else hide which input it was. */
export class Watchdog implements Disposable {
  readonly #shared = new SharedArrayBuffer(8 + 512);
  readonly #state = new Int32Array(this.#shared, 0, 2);
  readonly #text = new Uint8Array(this.#shared, 8);
  readonly #worker: Worker;

  constructor(target: string) {
    const workerData = { shared: this.#shared, target, stuckCpuMs: STUCK_CPU_MS, stuckMs: STUCK_MS };
    this.#worker = new Worker(SOURCE, { eval: true, workerData });
    this.#worker.unref();
  }

  begin(where: string): void {
    this.#state[1] = new TextEncoder().encodeInto(where, this.#text).written;
    Atomics.add(this.#state, 0, 1);
  }

  end(): void {
    Atomics.add(this.#state, 0, 1);
  }

  [Symbol.dispose](): void {
    void this.#worker.terminate();
  }
}
