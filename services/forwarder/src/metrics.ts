import type { SinkStatus } from './delivery/sink-runner.ts';

/** Counts by the name of the sink. */
type BySink = Readonly<Record<string, number>>;

export interface ForwarderStats {
  readonly sent: BySink;
  readonly skipped: BySink;
  readonly refused: BySink;
  readonly retries: BySink;
  readonly recovered: BySink;
  readonly lost: BySink;
  readonly backlog: BySink;
  /** Age of the oldest record that is being sent, ms */
  readonly waitingMs: BySink;
  /** Reasons of the sinks whose last attempt failed */
  readonly failing: Readonly<Record<string, string>>;
}

const COUNTS = ['sent', 'skipped', 'refused', 'retries', 'recovered', 'lost', 'backlog', 'waitingMs'] as const;

export function statsOf(statuses: readonly SinkStatus[]): ForwarderStats {
  const by = (count: (typeof COUNTS)[number]): BySink =>
    Object.fromEntries(statuses.map((status) => [status.name, status[count]]));
  const failing = statuses.flatMap(({ name, failing: reason }) => (reason === '' ? [] : [[name, reason] as const]));
  const counts = Object.fromEntries(COUNTS.map((count) => [count, by(count)])) as unknown as ForwarderStats;
  return { ...counts, failing: Object.fromEntries(failing) };
}
