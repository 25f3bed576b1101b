import {
  type Effect,
  type InRecord,
  MAX_KEY_BYTES,
  MAX_RECORD_BYTES,
  type OutRecord,
  type StateChange,
  type StateEntry,
} from '@ringfence/bus';
import { deadLetter, type SigningKey, TOPIC } from '@ringfence/wire';
import { compileOptions, type EnricherOptions, type Enrolment } from './config.ts';
import { EnricherError } from './errors.ts';
import { type LogRecord, readLogRecord } from './logs/record.ts';
import { createLogStep } from './logs/step.ts';
import { createStats, type EnricherStats } from './metrics.ts';
import type { TickingHost } from './silence-watch.ts';
import type { Boot } from './state/boot.ts';
import { Boots } from './state/boots.ts';
import { drainBoot, forgetBoot, restoreBoots } from './state/changelog.ts';
import { BatchBuilder } from './steps/batch.ts';
import { createCheckStep } from './steps/check.ts';
import { createEnrichStep } from './steps/enrich-batch.ts';
import { SequenceStep } from './steps/sequences.ts';
import { createVerifyStep } from './steps/verify.ts';

/** The enricher of one partition. It holds the state of the partition's hosts. */
export interface EnricherPipeline extends Disposable {
  /**
   * Turns RawBatches and log lines into EventBatches and state changes. Throws before it changes anything, because all
   * records are checked first.
   */
  handle(records: readonly InRecord[]): Effect;
  /** Does the parallel part of the work on a backlog. Call it before `handle`. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** Fills empty state from the entries of the store. */
  restore(entries: AsyncIterable<StateEntry>): Promise<void>;
  stats(): EnricherStats;
  /** Returns the latest boot of each host that has sent a tick. */
  tickingHosts(): Iterable<TickingHost>;
  /**
   * Returns the version of the interest that each host's last batch was filtered with. Omits hosts that have sent no
   * batch since `restore`.
   */
  interests(): Iterable<readonly [hostId: string, version: number]>;
}

/** A record that has passed all checks: a whole RawBatch, or log lines. */
interface Checked {
  readonly record: InRecord;
  readonly content: Buffer | LogRecord;
}

export interface EnricherPipelineDeps {
  readonly enrolment: Enrolment;
  /** Signs the EventBatches; null: unsigned. @default null */
  readonly key?: SigningKey | null;
  readonly options?: EnricherOptions;
  /** @default 0 */
  readonly partition?: number;
  /** Counters, which the pipelines of one service share. @default new ones */
  readonly stats?: EnricherStats;
}

/** The same input gives the same bytes: no clock, randomness or fact of this host is used. Timers run on ticks. */
export function createEnricherPipeline(deps: EnricherPipelineDeps): EnricherPipeline {
  return new Pipeline(deps);
}

class Pipeline implements EnricherPipeline {
  readonly #partition: number;
  readonly #stats: EnricherStats;
  readonly #boots: Boots;
  readonly #verify: ReturnType<typeof createVerifyStep>;
  readonly #check = createCheckStep();
  readonly #enrichBatch: ReturnType<typeof createEnrichStep>;
  readonly #logs: ReturnType<typeof createLogStep>;

  constructor({ enrolment, key = null, options: given, partition = 0, stats = createStats() }: EnricherPipelineDeps) {
    const options = compileOptions(given);
    const boots = new Boots(options);
    const sequences = new SequenceStep(stats);
    const out = new BatchBuilder(key);
    this.#partition = partition;
    this.#stats = stats;
    this.#boots = boots;
    this.#verify = createVerifyStep(enrolment, options.enrolmentGraceMs);
    this.#enrichBatch = createEnrichStep({ boots, sequences, out, stats });
    this.#logs = createLogStep({ boots, sequences, out, stats, options });
  }

  ahead(records: readonly InRecord[]): Promise<void> {
    return this.#verify.ahead(records.filter(({ topic }) => topic !== TOPIC.logsRaw));
  }

  handle(records: readonly InRecord[]): Effect {
    const checked = records.map((record) => this.#checkRecord(record));
    const state = new Map<string, StateChange>();
    const outputs = checked.flatMap((entry) =>
      this.#enrich(entry, state).map((value) => outputOf(entry.record, value)),
    );
    return { outputs, state: [...state.values()] };
  }

  /** Throws EnricherError or SchemaError if the record can't be trusted or read. */
  #checkRecord(record: InRecord): Checked {
    if (record.topic === TOPIC.logsRaw) return { record, content: readLogRecord(record, this.#verify.keyOf) };
    const bytes = this.#verify(record);
    this.#check(record.key, bytes);
    return { record, content: bytes };
  }

  #enrich({ record, content }: Checked, state: Map<string, StateChange>): readonly Buffer[] {
    const { boot, batches } = Buffer.isBuffer(content)
      ? this.#enrichBatch(record, content)
      : this.#logs.enrich(record, content);
    const position = { offset: record.offset, index: 0 };
    const evicted = this.#boots.drainEvicted();
    for (const lost of evicted) this.#stats.evicted += evictedIn(lost);
    const deletions = evicted.flatMap((lost) => forgetBoot(lost, lost.partition, position));
    const changed = boot === null ? [] : drainBoot(boot, record.partition, position);
    const ofLogs = this.#logs.drain(record.partition, position);
    for (const change of [...deletions, ...changed, ...ofLogs]) state.set(change.key, change);
    return batches;
  }

  restore(entries: AsyncIterable<StateEntry>): Promise<void> {
    return restoreBoots(this.#boots, this.#partition, this.#withoutLogs(entries));
  }

  async *#withoutLogs(entries: AsyncIterable<StateEntry>): AsyncGenerator<StateEntry> {
    for await (const entry of entries) if (!this.#logs.restore(entry)) yield entry;
  }

  stats(): EnricherStats {
    const boots = [...this.#boots];
    const processes = boots.reduce((sum, boot) => sum + boot.processes.size, 0);
    const evicted = boots.reduce((sum, boot) => sum + evictedIn(boot), this.#stats.evicted);
    return { ...this.#stats, processes, evicted };
  }

  tickingHosts(): readonly TickingHost[] {
    return this.#boots.latestOfEach().flatMap(({ hostId, bootId, wallOffset, last }) => {
      return last === null ? [] : [{ hostId, bootId, wallOffset, last }];
    });
  }

  interests(): readonly (readonly [string, number])[] {
    return this.#boots
      .latestOfEach()
      .flatMap(({ hostId, interest }) => (interest === null ? [] : [[hostId, interest]]));
  }

  /** Keeps the evictions of this partition in the shared counters. */
  [Symbol.dispose](): void {
    for (const boot of this.#boots) this.#stats.evicted += evictedIn(boot);
  }
}

/** A batch too large for one record cannot come from a real sensor. Dead-letter it; keep the state that it updated. */
function outputOf(record: InRecord, value: Buffer): OutRecord {
  const { key } = record;
  if (value.length <= MAX_RECORD_BYTES - MAX_KEY_BYTES) return { topic: TOPIC.events, key, value };
  const message = `its events and their context have ${value.length} bytes, which does not fit into one record`;
  return deadLetter(record, new EnricherError('ERR_ENRICHER_BOUNDS', key, message), 'enricher');
}

/** Everything that was evicted or refused for lack of room. */
const evictedIn = ({ processes, contexts, hashes, names, lanesForgotten, notPersisted }: Boot): number =>
  processes.evicted + contexts.refused + hashes.evicted + names.evicted + lanesForgotten + notPersisted;
