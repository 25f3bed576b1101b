import { defined, type Log, type Trace } from '@ringfence/base';
import type { Bus, Consumer } from '@ringfence/bus';
import type { KeyLookupByRole } from '@ringfence/ecs';
import { type Failpoint, runPipeline } from '@ringfence/service-kit';
import { parseSyslogAddress, SyslogSender } from '@ringfence/syslog';
import { deadLetter, type SigningKey, TOPIC } from '@ringfence/wire';
import { type AuditorOptions, type CompiledAuditorOptions, compileAuditorOptions } from './config.ts';
import { ClusterSink } from './elasticsearch/sink.ts';
import { HeadPublisher } from './head-publisher.ts';
import { AUDIT_HEADS, sendHead } from './kept-heads.ts';
import { AuditorMetrics, type AuditorStats } from './metrics.ts';
import type { AuditSink } from './sink.ts';
import { traceStored } from './steps/trace.ts';
import { AuditThread } from './thread/audit-thread.ts';
import { AUDITED_TOPICS } from './topics.ts';
import { type AuditWriter, createLocalWriter } from './writer.ts';

export interface AuditorDeps {
  readonly options: AuditorOptions;
  readonly bus: Bus;
  readonly log: Log;
  /** @default the sink that the options select */
  readonly sink?: AuditSink;
  /** Signs the heads of the chains; they are unsigned without it */
  readonly key?: SigningKey;
  /** Host of this auditor, which heads in a second place name. @default empty */
  readonly hostId?: string;
  /** Keys for verifying record signatures; with them, documents in a cluster contain the result */
  readonly trusted?: KeyLookupByRole;
  /** Called for each stored alert. @default none */
  readonly trace?: Trace;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface Auditor extends AsyncDisposable {
  /** Resolves when the auditor has stopped; rejects with the error that stopped it. */
  readonly done: Promise<void>;
  /** Stops after the current batch. */
  close(): Promise<void>;
  stats(): AuditorStats;
  /** Publishes the heads of the chains now. Rejects when the bus does not take them. */
  publishHeads(): Promise<void>;
}

/** Maximum size of a batch, so that an alert behind it does not wait. */
const POLL_BYTES = 4 * 2 ** 20;
/**
 * Delays storing an alert so that the responder handles it first: storing competes with it for the event loop, and for
 * the CPU on small machines.
 */
const RECORD_LINGER_MS = 20;

const SYSLOG_RETRY_MS = 5000;
/** The end of the service waits this long for a server that does not take the last heads. */
const SYSLOG_DRAIN_MS = 2000;

/** Short, so that a store that is back is used soon. */
const RETRY_MAX_MS = 5000;

/** Starts the auditor. Rejects with the errors of errors.ts when the file cannot be used. */
export async function startAuditor(deps: AuditorDeps): Promise<Auditor> {
  const { bus, log, trace, failpoint } = deps;
  const options = compileAuditorOptions(deps.options);
  const consumer = await bus.consumer({
    group: 'auditor',
    topics: AUDITED_TOPICS,
    maxBytes: POLL_BYTES,
    maxRecords: options.batchRecords,
    lingerMs: {
      ...Object.fromEntries(AUDITED_TOPICS.map((topic) => [topic, RECORD_LINGER_MS])),
      [TOPIC.events]: options.eventLingerMs,
    },
  });
  const writer = await openWriter(deps, options, consumer);
  const metrics = new AuditorMetrics();
  const stop = new AbortController();

  const syslog = openSyslog(deps, options);
  const headPublisher = new HeadPublisher({
    key: deps.key ?? null,
    everyRecords: options.headRecords,
    everyMs: options.headIntervalMs,
    heads: () => writer.heads(),
    ...(syslog === null ? {} : { onHead: (value) => sendHead(syslog, value) }),
  });
  // Batches send what waits, too; without any, a server that is back is still found.
  const retrying = setInterval(() => syslog?.retry(), SYSLOG_RETRY_MS).unref();

  const publishHeads = async (): Promise<void> => {
    const records = await headPublisher.records();
    if (records.length > 0) await bus.produce(records);
  };

  const pipeline = runPipeline({
    consumer,
    handle: async (records) => {
      const { outputs, state } = await writer.handle(records);
      if (trace !== undefined && outputs.length === 0) traceStored(trace, records);
      return { outputs: [...outputs, ...(await headPublisher.recordsIfDue(records.length))], state };
    },
    deadLetter: (record, error) => deadLetter(record, error, 'auditor'),
    signal: stop.signal,
    retryMaxMs: RETRY_MAX_MS,
    metrics,
    log,
    ...defined({ failpoint }),
  });
  const snapshot = (): AuditorStats => metrics.snapshot(writer.stats(), syslog?.stats());
  let finalStats: AuditorStats | undefined;
  const done = pipeline.finally(async () => {
    await consumer.close();
    await publishAtEnd(publishHeads, log);
    clearInterval(retrying);
    await syslog?.drain(SYSLOG_DRAIN_MS);
    finalStats = snapshot();
    syslog?.[Symbol.dispose]();
    await writer.close();
  });
  // Callers may ignore `done`: avoid an unhandled rejection.
  done.catch(() => {});

  const close = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return {
    done,
    close,
    publishHeads,
    stats: () => finalStats ?? snapshot(),
    [Symbol.asyncDispose]: close,
  };
}

function openSyslog({ hostId = '', log }: AuditorDeps, { headSyslog }: CompiledAuditorOptions): SyslogSender | null {
  const address = parseSyslogAddress(headSyslog);
  return address === null ? null : new SyslogSender(address, { kind: AUDIT_HEADS, hostId, log });
}

/** Publishes the heads at shutdown, so that records stored since the last time cannot be removed unnoticed. */
async function publishAtEnd(publishHeads: () => Promise<void>, log: Log): Promise<void> {
  try {
    await publishHeads();
  } catch (err) {
    log.warn({ err }, 'the heads of the chains could not be published at shutdown: the next start publishes them');
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
        'the audit trail was damaged: it was moved aside and a new one was created',
      );
    }
    return thread;
  } catch (error) {
    await consumer.close();
    throw error;
  }
}
