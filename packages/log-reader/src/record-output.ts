import { type Backoff, backoffMs, type Log, pause } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import type { LogStateFile, SavedLogState } from './state.ts';

/** A broker that does not take a record within this time is down. */
const PRODUCE_TIMEOUT_MS = 2000;
const RETRY: Backoff = { firstMs: 50, maxMs: 2000, jitter: false };

export interface RecordOutputDeps {
  readonly file: LogStateFile;
  /** the topic logs-raw must exist */
  readonly bus: Pick<Bus, 'produce'>;
  readonly hostId: string;
  readonly log: Log;
  /** aborts when the reader is closed */
  readonly signal: AbortSignal;
}

/** Writes the state to disk and records to the bus. Retries as long as the error may pass. */
export class RecordOutput {
  /** whether the last record that was saved is on the bus */
  delivered = true;
  /** failed attempts, of the bus and of the disk */
  refusals = 0;
  readonly #deps: RecordOutputDeps;

  constructor(deps: RecordOutputDeps) {
    this.#deps = deps;
  }

  /** Returns false if the reader was closed before the state was on disk. */
  save(saved: SavedLogState): Promise<boolean> {
    return this.#retry('the disk is full: the positions in logs are not saved', isDiskFull, async () => {
      await this.#deps.file.write(saved);
      this.delivered = saved.pending === null;
    });
  }

  /** Returns false if the reader was closed before the record was on the bus. */
  async produce(value: Buffer): Promise<boolean> {
    const { bus, hostId } = this.#deps;
    this.delivered = await this.#retry('the bus does not take log lines: they wait in their files', isTemporary, () =>
      bus.produce([{ topic: TOPIC.logsRaw, key: hostId, value }], PRODUCE_TIMEOUT_MS),
    );
    return this.delivered;
  }

  async #retry(message: string, mayPass: (error: unknown) => boolean, run: () => Promise<void>): Promise<boolean> {
    const { log, signal } = this.#deps;
    for (let attempt = 0; ; attempt++) {
      try {
        await run();
        return true;
      } catch (err) {
        if (!mayPass(err)) throw err;
        this.refusals++;
        if (attempt === 0) log.warn({ err }, message);
        if (signal.aborted) return false;
      }
      await pause(backoffMs(attempt, RETRY), signal);
    }
  }
}

const isDiskFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Whether the bus is full, or down for a while. */
function isTemporary(error: unknown): boolean {
  const { code, fate } = error as { code?: unknown; fate?: unknown };
  return code === 'ERR_BUS_FULL' || fate === 'retriable';
}
