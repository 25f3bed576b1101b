import type { BenchOptions } from './options.ts';
import type { Programs } from './programs.ts';
import type { Load, Recorded } from './recording.ts';
import type { Report } from './report.ts';

export interface BenchContext {
  readonly options: BenchOptions;
  readonly report: Report;
  readonly programs: Programs;
  /** A temporary directory, removed at the end */
  readonly dir: string;
  /** Returns the recorded stream of a load, and records it at the first call. */
  readonly recorded: (load: Load) => Promise<Recorded>;
  /** Results of a section that later sections use: sustained opens per second */
  readonly results: { openRate?: number };
}

export type Section = (context: BenchContext) => Promise<void>;
