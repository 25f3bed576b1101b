import { defined, type Log, LogThrottle, messageOf } from '@ringfence/base';
import type { Bus, Consumer, Effect, InRecord, OutRecord } from '@ringfence/bus';
import { type Failpoint, type Handler, type PipelineMetrics, runPipeline } from '@ringfence/service-kit';
import { deadLetter, TOPIC } from '@ringfence/wire';
import type { TrustedKeys } from '../items/read-item.ts';
import type { SendName } from '../settings/common.ts';
import type { SinkConfig } from '../settings/load.ts';
import type { Sink } from '../sink.ts';
import { createDelivery, type Deliver, type RefusedRecord, type SinkCounts } from './deliver.ts';
import { type MissedRange, missedRanges, type TrailSource } from './missed.ts';
import { TICKET_STORE, TicketBook } from './tickets.ts';

const TOPICS: Readonly<Record<SendName, readonly string[]>> = {
  alerts: [TOPIC.alerts],
  incidents: [TOPIC.incidents],
  responses: [TOPIC.commands, TOPIC.results],
  operators: [TOPIC.operator],
};

/** Longest pause between two attempts, so that a far side that is back is used soon. */
const RETRY_MAX_MS = 10_000;
/** A request that was received but not answered would be sent again at the next start. */
const STOP_GRACE_MS = 5000;
/** How often the log reports refused records. */
const REFUSAL_LOG_MS = 10_000;
/** Records of the trail in one request. */
const TRAIL_BATCH = 100;

/** Returns the topics that a sink reads. */
export const topicsOf = ({ common, kind }: SinkConfig): string[] =>
  (common.send ?? kind.sends).flatMap((name) => TOPICS[name]);

/** Consumer group of a sink: its position is that of no other sink. */
export const groupOf = (name: string): string => `forwarder-${name}`;

export interface SinkStatus extends SinkCounts {
  readonly name: string;
  readonly type: string;
  /** Records that are not committed */
  readonly backlog: number;
  /** Age of the oldest record that is being sent, ms; 0: none waits */
  readonly waitingMs: number;
  readonly retries: number;
  /** Records that retention had deleted before they were sent, and that came from the audit trail */
  readonly recovered: number;
  /** Records that were deleted there too: they were not sent */
  readonly lost: number;
  /** Reason for the last failed attempt; empty since the last success */
  readonly failing: string;
  /** µs since the epoch; 0: nothing was sent since the start */
  readonly lastSent: number;
}

export interface RunnerDeps {
  readonly bus: Bus;
  readonly config: SinkConfig;
  readonly sink: Sink;
  readonly trusted: TrustedKeys;
  /** null: what retention has deleted is lost */
  readonly trail: TrailSource | null;
  readonly log: Log;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

/** Reads the topics of one sink at the sink's own position, and sends what it reads. */
export class SinkRunner implements PipelineMetrics {
  readonly done: Promise<void>;
  readonly #deps: RunnerDeps;
  readonly #consumer: Consumer;
  readonly #deliver: Deliver;
  readonly #counts: SinkCounts = { sent: 0, skipped: 0, refused: 0 };
  readonly #stop = new AbortController();
  /** Aborts a request that is still under way some time after the stop. */
  readonly #abandon = new AbortController();
  /** Ranges that came from the trail, and what was refused of them, until the batch behind them is committed. */
  readonly #recoveredRanges: Set<string> = new Set();
  readonly #refusedOfTrail: RefusedRecord[] = [];
  readonly #refusals = new LogThrottle(REFUSAL_LOG_MS);
  #retries = 0;
  #recovered = 0;
  #lost = 0;
  #failing = '';
  #lastSent = 0;
  /** Time of the first record of the batch in hand, µs; 0: none */
  #handling = 0;

  static async start(deps: RunnerDeps): Promise<SinkRunner> {
    const { bus, config } = deps;
    const { batch, digest } = config.common;
    const topics = topicsOf(config);
    const consumer = await bus.consumer({
      group: groupOf(config.name),
      topics,
      maxRecords: batch,
      start: 'latest',
      holdsRetention: false,
      ...(config.kind.keepsTickets ? { stores: [TICKET_STORE] } : {}),
      ...(digest === undefined ? {} : { lingerMs: Object.fromEntries(topics.map((topic) => [topic, digest])) }),
    });
    return new SinkRunner(deps, consumer);
  }

  private constructor(deps: RunnerDeps, consumer: Consumer) {
    const { config, sink, trusted, log, failpoint } = deps;
    this.#deps = deps;
    this.#consumer = consumer;
    this.#deliver = createDelivery({ config, sink, trusted, counts: this.#counts });
    this.done = runPipeline({
      consumer,
      open: (partition, restore) => this.#open(partition, restore),
      deadLetter: (record, error) => deadLetter(record, error, groupOf(config.name)),
      signal: this.#stop.signal,
      retryMaxMs: RETRY_MAX_MS,
      metrics: this,
      log,
      ...defined({ failpoint }),
    }).finally(() => this.#close());
    // `close` and the forwarder wait for it; without them it must not be an unhandled rejection.
    this.done.catch(() => {});
  }

  async #open(partition: number, restore: (store: string) => ReturnType<Consumer['restore']>): Promise<Handler> {
    const tickets = new TicketBook();
    if (this.#deps.config.kind.keepsTickets) await tickets.restore(restore(TICKET_STORE), partition);
    return { handle: (records) => this.#handle(records, tickets) };
  }

  async #handle(records: readonly InRecord[], tickets: TicketBook): Promise<Effect> {
    const [first] = records;
    if (first === undefined) return { outputs: [], state: [] };
    this.#handling = first.timestamp;
    tickets.begin(records.at(-1)!);
    for (const range of missedRanges(this.#consumer, records)) await this.#recover(range, tickets);
    const refused = [
      ...this.#refusedOfTrail,
      ...(await this.#deliver(records, { signal: this.#abandon.signal, tickets })),
    ];
    return { outputs: refused.map((one) => this.#deadLetter(one)), state: tickets.drain() };
  }

  #deadLetter({ record, error }: RefusedRecord): OutRecord {
    const { config, log } = this.#deps;
    const { topic, partition, offset } = record;
    const suppressed = this.#refusals.shouldLog('');
    if (suppressed !== null)
      log.error(
        { sink: config.name, reason: error.message, topic, partition, offset, suppressed },
        'a record is refused for good; it goes to the dead letters',
      );
    return deadLetter(record, error, groupOf(config.name));
  }

  /** Sends what retention has deleted from the bus, as far as the audit trail has it. */
  async #recover(range: MissedRange, tickets: TicketBook): Promise<void> {
    const { trail, log, config } = this.#deps;
    // A batch that is tried again finds the same range, which was sent already.
    const key = JSON.stringify(range);
    if (this.#recoveredRanges.has(key)) return;
    const signal = this.#abandon.signal;
    const refused: RefusedRecord[] = [];
    let found = 0;
    let batch: InRecord[] = [];
    const send = async (): Promise<void> => {
      if (batch.length === 0) return;
      refused.push(...(await this.#deliver(batch, { signal, tickets })));
      found += batch.length;
      batch = [];
    };
    for await (const record of trail?.recordsOf(range) ?? []) {
      batch.push(record);
      if (batch.length >= TRAIL_BATCH) await send();
    }
    await send();
    this.#recoveredRanges.add(key);
    this.#refusedOfTrail.push(...refused);
    const lost = range.to - range.from - found;
    this.#recovered += found;
    this.#lost += lost;
    const { topic, partition } = range;
    const place = { sink: config.name, topic, partition, records: found, lost };
    if (lost > 0) log.error(place, 'records were deleted before the sink got them, and the audit trail lacks them');
    else log.warn(place, 'records were deleted before the sink got them; it got them from the audit trail');
  }

  committed(): void {
    this.#recoveredRanges.clear();
    this.#refusedOfTrail.length = 0;
    this.#failing = '';
    this.#lastSent = Date.now() * 1000;
    this.#handling = 0;
  }

  retried(error: unknown): void {
    this.#retries++;
    this.#failing = messageOf(error);
  }

  async status(): Promise<SinkStatus> {
    const { name, kind } = this.#deps.config;
    const lag = await this.#consumer.lag();
    return {
      name,
      type: kind.type,
      ...this.#counts,
      backlog: [...lag.values()].reduce((sum, records) => sum + records, 0),
      waitingMs: this.#handling === 0 ? 0 : Math.max(0, Math.round(Date.now() - this.#handling / 1000)),
      retries: this.#retries,
      recovered: this.#recovered,
      lost: this.#lost,
      failing: this.#failing,
      lastSent: this.#lastSent,
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const timer = setTimeout(() => this.#abandon.abort(), STOP_GRACE_MS);
    await this.done.finally(() => clearTimeout(timer));
  }

  async #close(): Promise<void> {
    await this.#consumer.close();
    await this.#deps.sink.close();
  }
}
