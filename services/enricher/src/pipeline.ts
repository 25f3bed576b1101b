import {
  type Effect,
  type InRecord,
  MAX_KEY_BYTES,
  MAX_RECORD_BYTES,
  type OutRecord,
  type StateChange,
  type StateEntry,
} from '@ringfence/bus';
import { deadLetter, type EventCursor, KIND, leaf, RawBatchReader, type SigningKey, TOPIC } from '@ringfence/wire';
import { compileOptions, type EnricherOptions, type Enrolment } from './config.ts';
import { EnricherError } from './errors.ts';
import { type LogRecord, readLogRecord } from './logs/record.ts';
import { createLogStep } from './logs/step.ts';
import { countEvent, createStats, type EnricherStats } from './metrics.ts';
import type { HeardHost } from './silence.ts';
import { type Boot, laneOf, type Run } from './state/boot.ts';
import { Boots } from './state/boots.ts';
import { drainBoot, forgetBoot, restoreBoots } from './state/changelog.ts';
import { BatchBuilder } from './steps/batch.ts';
import { createCheckStep } from './steps/check.ts';
import { noteContext } from './steps/contexts.ts';
import { noteHash } from './steps/hashes.ts';
import { followNames } from './steps/names.ts';
import { followProcess, partialReason } from './steps/processes.ts';
import { runIdOf, SequenceStep } from './steps/sequences.ts';
import { createVerifyStep } from './steps/verify.ts';
import { NO_ORIGIN, noteWrite, type Origin, originOf, originOfHashed } from './steps/writers.ts';

/** One partition's: its hosts' memory lives and moves with it. */
export interface EnricherPipeline extends Disposable {
  /** RawBatches and log lines in, EventBatches and state out. Throws before anything is changed: all records are checked first. */
  handle(records: readonly InRecord[]): Effect;
  /** Does what can be done side by side for a backlog before `handle` is called. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** Fills empty memory with what the store held. */
  restore(entries: AsyncIterable<StateEntry>): Promise<void>;
  stats(): EnricherStats;
  /** The hosts that have ticked, by the boot that was heard last. */
  heard(): Iterable<HeardHost>;
  /** The version of the interest that each host's last batch was filtered with. A host that has sent none since `restore` is not there. */
  interests(): Iterable<readonly [hostId: string, version: number]>;
}

/** A record that may be applied: a whole RawBatch, or lines of logs. */
interface Checked {
  readonly record: InRecord;
  readonly read: Buffer | LogRecord;
}

export interface EnricherPipelineDeps {
  readonly enrolment: Enrolment;
  /** signs the EventBatches; null: unsigned. @default null */
  readonly key?: SigningKey | null;
  readonly options?: EnricherOptions;
  /** @default 0 */
  readonly partition?: number;
  /** where to count; several pipelines of one service count together */
  readonly stats?: EnricherStats;
}

/** The same input gives the same bytes: no clock, no chance, no host. Timers run on ticks. */
export function createEnricherPipeline(deps: EnricherPipelineDeps): EnricherPipeline {
  const { partition = 0, stats = createStats() } = deps;
  const options = compileOptions(deps.options);
  const boots = new Boots(options);
  const verify = createVerifyStep(deps.enrolment, options.enrolmentGraceMs);
  const check = createCheckStep();
  const sequences = new SequenceStep(stats);
  const reader = new RawBatchReader();
  const out = new BatchBuilder(deps.key ?? null);
  const logs = createLogStep({ boots, sequences, out, stats, options });

  function enrichBatch(record: InRecord, bytes: Buffer): { boot: Boot; batches: readonly Buffer[] } {
    reader.open(bytes);
    const { hostId, bootId, run, wallOffset, sentAt, lanes, interestVersion } = reader.head;
    const boot = boots.hear(hostId, bootId, record.partition);
    boot.wallOffset = wallOffset;
    boot.interest = interestVersion;
    const runId = runIdOf(run);
    out.begin({ boot, run, wallOffset, sentAt, receivedAt: record.timestamp, lanes });
    const ofRun = boot.run(runId);
    sequences.readDrops(ofRun, lanes);
    while (reader.next()) enrichEvent(boot, ofRun, runId, reader.cursor);
    sequences.readAnnounced(ofRun, lanes, boot.tick);
    const batches = out.finish();
    stats.batches++;
    stats.splits += Math.max(0, batches.length - 1);
    return { boot, batches };
  }

  function enrichEvent(boot: Boot, run: Run, runId: string, cursor: EventCursor): void {
    if (!sequences.isNew(laneOf(run, cursor.lane, cursor.cpu), cursor, boot.tick)) return;
    const process = followProcess(boot, cursor, out);
    if (cursor.kind === KIND.Open) noteWrite(boot, process, cursor);
    else if (cursor.kind === KIND.Hash) noteHash(boot, process, cursor, out);
    else if (process === null) noteContext(boot, cursor);
    const container = process === null ? null : boot.containerAt(process, cursor.buffer, cursor.cgroupAt);
    if (process !== null) followNames(boot, container?.value.id ?? '', cursor, out);
    const { writer, writtenAgo } = originBehind(boot, cursor);
    const partial = partialReason(process, cursor);
    if (partial !== '') stats.partial++;
    out.addEvent(process, container, writer, writtenAgo, partial, cursor);
    if (cursor.kind === KIND.Tick) tick(boot, runId, cursor);
    countEvent(stats, cursor.kind);
  }

  /** Everything that waits for time to pass. */
  function tick(boot: Boot, runId: string, cursor: EventCursor): void {
    const { sequence, ktime } = cursor;
    boot.tick++;
    boot.last = { run: runId, sequence, ktime, left: cursor.leafBoolean(leaf.Tick.last) };
    sequences.reportGaps(boot, runId, ktime, out);
    boot.processes.sweep(boot.tick);
    boot.contexts.sweep(boot.tick);
  }

  function enrich({ record, read }: Checked, state: Map<string, StateChange>): readonly Buffer[] {
    const { boot, batches } = Buffer.isBuffer(read) ? enrichBatch(record, read) : logs.enrich(record, read);
    const position = { offset: record.offset, index: 0 };
    const forgotten = boots.drainGone();
    for (const one of forgotten) stats.evicted += lostIn(one);
    const gone = forgotten.flatMap((one) => forgetBoot(one, one.partition, position));
    const changed = boot === null ? [] : drainBoot(boot, record.partition, position);
    const ofLogs = logs.drain(record.partition, position);
    for (const change of [...gone, ...changed, ...ofLogs]) state.set(change.key, change);
    return batches;
  }

  /** Throws for whatever can't be trusted or read. */
  function checkRecord(record: InRecord): Checked {
    if (record.topic === TOPIC.logsRaw) return { record, read: readLogRecord(record, verify.keyOf) };
    const bytes = verify(record);
    check(record.key, bytes);
    return { record, read: bytes };
  }

  async function* withoutLogs(entries: AsyncIterable<StateEntry>): AsyncGenerator<StateEntry> {
    for await (const entry of entries) if (!logs.restore(entry)) yield entry;
  }

  return {
    ahead: (records) => verify.ahead(records.filter(({ topic }) => topic !== TOPIC.logsRaw)),
    handle(records) {
      const checked = records.map(checkRecord);
      const state = new Map<string, StateChange>();
      const outputs = checked.flatMap((one) => enrich(one, state).map((value) => outputOf(one.record, value)));
      return { outputs, state: [...state.values()] };
    },
    restore: (entries) => restoreBoots(boots, partition, withoutLogs(entries)),
    stats() {
      const all = [...boots];
      const processes = all.reduce((sum, boot) => sum + boot.processes.size, 0);
      const evicted = all.reduce((sum, boot) => sum + lostIn(boot), stats.evicted);
      return { ...stats, processes, evicted };
    },
    heard: () => heardHosts(boots),
    interests: () => interestsOf(boots),
    [Symbol.dispose]() {
      for (const boot of boots) stats.evicted += lostIn(boot);
    },
  };
}

/** What no record takes is nothing that a sensor tells: its agent's record goes to the dead letters, and what it has said of processes stays known. */
function outputOf(record: InRecord, value: Buffer): OutRecord {
  const { key } = record;
  if (value.length <= MAX_RECORD_BYTES - MAX_KEY_BYTES) return { topic: TOPIC.events, key, value };
  const said = `its events come to ${value.length} bytes with their context, more than a record takes`;
  return deadLetter(record, new EnricherError('ERR_ENRICHER_BOUNDS', key, said), 'enricher');
}

function originBehind(boot: Boot, cursor: EventCursor): Origin {
  if (cursor.kind === KIND.Exec) return originOf(boot, cursor);
  return cursor.kind === KIND.Hash && cursor.tgid !== 0 ? originOfHashed(boot, cursor) : NO_ORIGIN;
}

/** What had to go, or was not taken, for lack of room. */
const lostIn = ({ processes, contexts, hashes, names, lanesForgotten, unkept }: Boot): number =>
  processes.evicted + contexts.refused + hashes.evicted + names.evicted + lanesForgotten + unkept;

function heardHosts(boots: Boots): readonly HeardHost[] {
  return boots.latestOfEach().flatMap(({ hostId, bootId, wallOffset, last }) => {
    return last === null ? [] : [{ hostId, bootId, wallOffset, last }];
  });
}

function interestsOf(boots: Boots): readonly (readonly [string, number])[] {
  return boots.latestOfEach().flatMap(({ hostId, interest }) => (interest === null ? [] : [[hostId, interest]]));
}
