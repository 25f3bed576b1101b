import type { Log } from '@ringfence/base';
import type { EnrichmentSource } from '@ringfence/host-kit';
import { PinnedProgram } from '@ringfence/libbpf-ts';
import { isPinned, pinnedPrograms, programOfPin } from './pins.ts';

/** Asking for some 300 programs takes a few ms, and more where nothing of it is in a cache any more. */
const EVERY_MS = 60_000;

/** A program of the sensor that the kernel was to run and did not: it was in the middle of this one, or of other BPF work, on that CPU. What it would have told nobody knows. */
export interface Skipped {
  readonly program: string;
  /** since the program was loaded */
  readonly count: number;
}

/** Watches for what the kernel skips; says so when it has been more. */
export class SkippedCalls implements EnrichmentSource {
  readonly name = 'skipped calls';
  readonly #pinPath: string;
  readonly #log: Log;
  #counts: readonly Skipped[] = [];
  #nextAt = 0;

  constructor(pinPath: string, log: Log) {
    this.#pinPath = pinPath;
    this.#log = log;
  }

  start(): void {}

  tick(): void {
    const now = performance.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + EVERY_MS;
    const before = total(this.#counts);
    this.#counts = skippedOf(this.#pinPath);
    const skipped = total(this.#counts);
    if (skipped > before)
      this.#log.error(
        { skipped, programs: Object.fromEntries(this.#counts.map(({ program, count }) => [program, count])) },
        'the kernel has skipped calls of the sensor: what happened then was not seen',
      );
  }

  /** As of the last look. */
  read(): readonly Skipped[] {
    return this.#counts;
  }

  close(): void {}
}

export const total = (skipped: readonly Skipped[]): number => skipped.reduce((sum, { count }) => sum + count, 0);

function skippedOf(pinPath: string): Skipped[] {
  if (!isPinned(pinPath)) return [];
  return pinnedPrograms(pinPath).flatMap((pin) => {
    using program = PinnedProgram.open(`${pinPath}/${pin}`);
    const count = program.recursionMisses;
    return count === 0 ? [] : [{ program: programOfPin(pin), count }];
  });
}
