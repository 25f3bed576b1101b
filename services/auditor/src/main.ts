import { type Bus, type BusLog, type Consumer, type Failpoint, runPipeline } from '@ringfence/bus';
import { deadLetter } from '@ringfence/schema';
import { type AuditorOptions, compileAuditorOptions } from './config.ts';
import { AuditorMetrics, type AuditorStats } from './metrics.ts';
import { AUDITED, createAuditPipeline } from './pipeline.ts';
import type { AuditSink } from './sink.ts';
import { SqliteSink } from './sqlite/sink.ts';

export interface AuditorDeps {
  readonly options: AuditorOptions;
  readonly bus: Bus;
  readonly log: BusLog;
  /** @default the SQLite file of the options */
  readonly sink?: AuditSink;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface Auditor extends AsyncDisposable {
  /** Settles when the auditor has stopped; rejects with what stopped it. */
  readonly done: Promise<void>;
  /** Ends after the batch in hand. */
  close(): Promise<void>;
  stats(): AuditorStats;
}

/** Starts keeping the evidence. Throws the errors of errors.ts when the file can't be used. */
export async function startAuditor(deps: AuditorDeps): Promise<Auditor> {
  const { bus, log, failpoint } = deps;
  const consumer = await bus.consumer({ group: 'auditor', topics: AUDITED });
  const sink = deps.sink ?? (await openSqlite(deps.options, log, consumer));
  const metrics = new AuditorMetrics();
  const stop = new AbortController();
  let last: AuditorStats | undefined;

  const pipeline = runPipeline({
    service: 'auditor',
    consumer,
    handle: createAuditPipeline(sink),
    deadLetter: (record, error) => deadLetter(record, error, 'auditor'),
    signal: stop.signal,
    metrics,
    log,
    ...(failpoint === undefined ? {} : { failpoint }),
  });
  const done = pipeline.finally(async () => {
    await consumer.close();
    last = metrics.snapshot(sink.stats());
    await sink.close();
  });
  // Whoever awaits `done` sees the error; nobody has to.
  done.catch(() => {});

  const close = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return { done, close, stats: () => last ?? metrics.snapshot(sink.stats()), [Symbol.asyncDispose]: close };
}

async function openSqlite(options: AuditorOptions, log: BusLog, consumer: Consumer): Promise<SqliteSink> {
  try {
    const compiled = compileAuditorOptions(options);
    const sink = new SqliteSink(compiled);
    const { movedAside } = sink;
    if (movedAside !== null) {
      log.error(
        { path: compiled.path, movedAside },
        'the audit trail was damaged: it is kept aside, a new one is begun',
      );
    }
    return sink;
  } catch (error) {
    await consumer.close();
    throw error;
  }
}
