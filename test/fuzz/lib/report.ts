import type { FuzzReport } from './run.ts';

/** Returns the line of a target's report: inputs, outcomes, and what the most expensive input cost. */
export function reportLine(name: string, { runs, seconds, bytes, outcomes, memory, slowestMs }: FuzzReport): string {
  const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const costs = `at most ${(memory / 2 ** 20).toFixed(1)} MiB and ${slowestMs.toFixed(0)} ms for an input`;
  return `${name}: ${runs} inputs of ${Math.round(bytes / Math.max(1, runs))} bytes in ${seconds.toFixed(1)} s: ${counts}; ${costs}`;
}
