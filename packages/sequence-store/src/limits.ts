/** Bounds of what one sequence, and one key of it, may hold. */
export const SEQUENCE_LIMITS = {
  /** Steps of one sequence. */
  sequenceSteps: 16,
  /** Events that one step can ask for in a row. */
  runs: 1_000,
  /** Events of a run (`with runs=`) that an alert lists; the rest are counted. */
  listedRuns: 16,
  /** Values that one sequence keeps of its events. */
  keptValues: 64,
  /** Texts of a list that a sequence keeps. */
  keptItems: 64,
  /** Events of one sequence and key that may still be reordered. */
  recentHits: 32,
  /**
   * Unfinished sequences of one key that wait for the same step. More than one waits only where steps are compared
   * with each other or come in runs.
   */
  waiting: 16,
} as const;
