import type { Call } from './call-matcher.ts';
import { failureOf } from './values.ts';

export interface CallTotals {
  readonly syscall: string;
  calls: number;
  errors: number;
  /** Nanoseconds in the kernel, including waits. */
  time: bigint;
}

/** Adds up calls, errors and time by system call. */
export class Summary {
  readonly #totals = new Map<string, CallTotals>();

  add(name: string, { result, duration }: Call): void {
    const totals = this.#totals.get(name) ?? { syscall: name, calls: 0, errors: 0, time: 0n };
    this.#totals.set(name, totals);
    totals.calls++;
    if (result !== null && failureOf(result) !== null) totals.errors++;
    totals.time += duration ?? 0n;
  }

  /** Longest total time first. */
  get rows(): readonly CallTotals[] {
    return [...this.#totals.values()].sort((a, b) => Number(b.time - a.time) || a.syscall.localeCompare(b.syscall));
  }
}

const HEADINGS = ['% time', 'seconds', 'µs/call', 'calls', 'errors'] as const;
const WIDTHS = [6, 11, 11, 9, 9];
const rowText = (cells: readonly string[], syscall: string): string =>
  `${cells.map((cell, index) => cell.padStart(WIDTHS[index] ?? 0)).join(' ')} ${syscall}`;

/** Formats the totals as the table of `strace -c`. */
export function summaryTable(rows: readonly CallTotals[]): string {
  const totalTime = rows.reduce((sum, { time }) => sum + time, 0n);
  const line = ({ syscall, calls, errors, time }: CallTotals): string =>
    rowText(
      [
        totalTime === 0n ? '0.00' : ((Number(time) * 100) / Number(totalTime)).toFixed(2),
        (Number(time) / 1e9).toFixed(6),
        calls === 0 ? '0' : (Number(time) / calls / 1000).toFixed(1),
        String(calls),
        errors === 0 ? '' : String(errors),
      ],
      syscall,
    );
  const total: CallTotals = {
    syscall: 'total',
    calls: rows.reduce((sum, { calls }) => sum + calls, 0),
    errors: rows.reduce((sum, { errors }) => sum + errors, 0),
    time: totalTime,
  };
  return [rowText(HEADINGS, 'syscall'), ...rows.map(line), line(total)].join('\n');
}
