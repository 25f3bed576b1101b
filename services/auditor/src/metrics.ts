import type { PipelineMetrics } from '@ringfence/service-kit';
import type { SyslogStats } from '@ringfence/syslog';
import type { SinkStats } from './sink.ts';

export interface AuditorStats extends SinkStats {
  /** Records read from the bus and committed */
  readonly records: number;
  readonly batches: number;
  /** Time spent handling and committing, seconds */
  readonly busySeconds: number;
  /** Retried batches */
  readonly retries: number;
  readonly deadLetters: number;
  /** Heads to `auditor.headSyslog` */
  readonly keptHeads: SyslogStats;
  /** Dropped by retention, by `kind/cause` */
  readonly drops: Readonly<Record<string, number>>;
}

const NO_HEADS: SyslogStats = { sent: 0, waiting: 0, lost: 0, failures: 0 };

export class AuditorMetrics implements PipelineMetrics {
  #records = 0;
  #batches = 0;
  #busySeconds = 0;
  #retries = 0;
  #deadLetters = 0;

  committed(records: number, seconds: number): void {
    this.#records += records;
    this.#batches++;
    this.#busySeconds += seconds;
  }

  retried(): void {
    this.#retries++;
  }

  deadLettered(): void {
    this.#deadLetters++;
  }

  snapshot(sink: SinkStats, keptHeads: SyslogStats = NO_HEADS): AuditorStats {
    return {
      ...sink,
      records: this.#records,
      batches: this.#batches,
      busySeconds: this.#busySeconds,
      retries: this.#retries,
      deadLetters: this.#deadLetters,
      keptHeads,
      drops: Object.fromEntries(sink.dropped.map(({ kind, cause, count }) => [`${kind}/${cause}`, count])),
    };
  }
}
