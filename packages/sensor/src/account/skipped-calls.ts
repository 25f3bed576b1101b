import type { Log } from '@ringfence/base';
import type { EnrichmentSource } from '@ringfence/host-kit';
import { PinnedProgram } from '@ringfence/libbpf-ts';
import { isPinned, pinnedPrograms, programOfPin } from '../pins/paths.ts';

/** Querying some 300 programs takes a few ms, and more if they have left the CPU's caches. */
const INTERVAL_MS = 60_000;

/**
 * A program of the sensor that the kernel should have run and skipped, because that CPU was already running this
 * program or other BPF code. Its events are lost without a trace in the counters.
 */
export interface SkippedProgram {
  readonly program: string;
  /** calls since the program was loaded */
  readonly count: number;
}

/** Counts the calls that the kernel skips. Logs an error when their number has grown. */
export class SkippedCalls implements EnrichmentSource {
  readonly name = 'skipped calls';
  readonly #pinPath: string;
  readonly #log: Log;
  #programs: readonly SkippedProgram[] = [];
  #nextAt = 0;

  constructor(pinPath: string, log: Log) {
    this.#pinPath = pinPath;
    this.#log = log;
  }

  start(): void {}

  tick(): void {
    const now = performance.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL_MS;
    const before = totalSkipped(this.#programs);
    this.#programs = readSkipped(this.#pinPath);
    const skipped = totalSkipped(this.#programs);
    if (skipped > before)
      this.#log.error(
        { skipped, programs: Object.fromEntries(this.#programs.map(({ program, count }) => [program, count])) },
        'the kernel skipped calls of the sensor: their events are lost',
      );
  }

  /** Returns the result of the last query. */
  read(): readonly SkippedProgram[] {
    return this.#programs;
  }

  close(): void {}
}

export const totalSkipped = (programs: readonly SkippedProgram[]): number =>
  programs.reduce((sum, { count }) => sum + count, 0);

function readSkipped(pinPath: string): SkippedProgram[] {
  if (!isPinned(pinPath)) return [];
  return pinnedPrograms(pinPath).flatMap((pin) => {
    using program = PinnedProgram.open(`${pinPath}/${pin}`);
    const count = program.recursionMisses;
    return count === 0 ? [] : [{ program: programOfPin(pin), count }];
  });
}
