import type { BenchOptions } from './options.ts';
import type { Programs } from './programs.ts';
import type { Load, Recorded } from './recording.ts';
import type { Report } from './report.ts';

/** What a section works with. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly report: Report;
  readonly programs: Programs;
  /** a temporary directory, removed at the end */
  readonly dir: string;
  /** The stream of a load, recorded when it is first asked for. */
  readonly recorded: (load: Load) => Promise<Recorded>;
  /** What sections tell those after them. */
  readonly found: { openRate?: number };
}

export type Section = (context: BenchContext) => Promise<void>;
