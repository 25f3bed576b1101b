import type { Log, Trace } from '@ringfence/base';
import type { Bus, Consumer } from '@ringfence/bus';
import { type Failpoint, runPipeline } from '@ringfence/service-kit';
import { deadLetter, type SigningKey, TOPIC } from '@ringfence/wire';
import { type AuditorOptions, type CompiledAuditorOptions, compileAuditorOptions } from './config.ts';
import type { TrustedRoles } from './elasticsearch/documents/index.ts';
import { ClusterSink } from './elasticsearch/sink.ts';
import { HeadKeeper } from './head-keeper.ts';
import { AuditorMetrics, type AuditorStats } from './metrics.ts';
import type { AuditSink } from './sink.ts';
import { traceStored } from './steps/trace.ts';
import { AuditThread } from './thread/audit-thread.ts';
import { AUDITED } from './topics.ts';
import { type AuditWriter, createLocalWriter } from './writer.ts';

export interface AuditorDeps {
  readonly options: AuditorOptions;
  readonly bus: Bus;
  readonly log: Log;
  /** @default what the options say */
  readonly sink?: AuditSink;
  /** signs the heads of the chains; absent: they go unsigned */
  readonly key?: SigningKey;
  /** given: documents in a cluster say whether their record's signature is that of someone who may write it */
  readonly trusted?: TrustedRoles;
  /** Told which alerts are stored. @default nobody */
  readonly trace?: Trace;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface Auditor extends AsyncDisposable {
  /** Settles when the auditor has stopped; rejects with what stopped it. */
  readonly done: Promise<void>;
  /** Ends after the batch in hand. */
  close(): Promise<void>;
  stats(): AuditorStats;
}

/** At most so much in one batch, so that an alert behind it needn't wait. */
const POLL_BYTES = 4 * 2 ** 20;
/** An alert is first answered, then stored: handing it to the thread would take the responder's turn, and its core where there are few. */
const RECORD_LINGER_MS = 20;

/** A store that is back is found soon. */
const RETRY_MAX_MS = 5000;

/** Starts keeping the evidence. Rejects with the errors of errors.ts when the file can't be used. */
export async function startAuditor(deps: AuditorDeps): Promise<Auditor> {
  const { bus, log, trace, failpoint } = deps;
  const options = compileAuditorOptions(deps.options);
  const consumer = await bus.consumer({
    group: 'auditor',
    topics: AUDITED,
    maxBytes: POLL_BYTES,
    maxRecords: options.batchRecords,
    lingerMs: {
      ...Object.fromEntries(AUDITED.map((topic) => [topic, RECORD_LINGER_MS])),
      [TOPIC.events]: options.eventLingerMs,
    },
  });
  const writer = await openWriter(deps, options, consumer);
  const metrics = new AuditorMetrics();
  const stop = new AbortController();

  const keeper = new HeadKeeper({
    key: deps.key ?? null,
    everyRecords: options.headRecords,
    everyMs: options.headIntervalMs,
    heads: () => writer.heads(),
  });

  const pipeline = runPipeline({
    service: 'auditor',
    consumer,
    handle: async (records) => {
      const { outputs, state } = await writer.handle(records);
      if (trace !== undefined && outputs.length === 0) traceStored(trace, records);
      return { outputs: [...outputs, ...(await keeper.due(records.length))], state };
    },
    deadLetter: (record, error) => deadLetter(record, error, 'auditor'),
    signal: stop.signal,
    retryMaxMs: RETRY_MAX_MS,
    metrics,
    log,
    ...(failpoint === undefined ? {} : { failpoint }),
  });
  let last: AuditorStats | undefined;
  const done = pipeline.finally(async () => {
    await consumer.close();
    await noteHeads(keeper, deps);
    last = metrics.snapshot(writer.stats());
    await writer.close();
  });
  // Whoever awaits `done` sees the error; nobody has to.
  done.catch(() => {});

  const close = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return { done, close, stats: () => last ?? metrics.snapshot(writer.stats()), [Symbol.asyncDispose]: close };
}

/** At the end: what came since the last time would be without a witness until the next start. */
async function noteHeads(keeper: HeadKeeper, { bus, log }: AuditorDeps): Promise<void> {
  try {
    const records = await keeper.now();
    if (records.length > 0) await bus.produce(records);
  } catch (err) {
    log.warn({ err }, 'the heads of the chains could not be noted at the end: the next start notes them');
  }
}

async function openWriter(
  { sink, log, trusted }: AuditorDeps,
  options: CompiledAuditorOptions,
  consumer: Consumer,
): Promise<AuditWriter> {
  if (sink !== undefined) return createLocalWriter(sink);
  try {
    if (options.cluster !== null) return createLocalWriter(new ClusterSink({ options: options.cluster, log, trusted }));
    const thread = await AuditThread.start(options);
    const { movedAside } = thread;
    if (movedAside !== null) {
      log.error(
        { path: options.path, movedAside },
        'the audit trail was damaged: it is kept aside, a new one is begun',
      );
    }
    return thread;
  } catch (error) {
    await consumer.close();
    throw error;
  }
}
