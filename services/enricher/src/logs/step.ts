import { hash } from 'node:crypto';
import type { InRecord, Position, StateChange, StateEntry } from '@ringfence/bus';
import { KIND, LANE, UNKNOWN_BOOT, u64ToHex } from '@ringfence/wire';
import type { CompiledEnricherOptions } from '../config.ts';
import { countEvent, type EnricherStats } from '../metrics.ts';
import { Boot, laneOf } from '../state/boot.ts';
import type { Boots } from '../state/boots.ts';
import type { BatchBuilder } from '../steps/batch.ts';
import type { SequenceStep } from '../steps/sequences.ts';
import { logEvent } from './event.ts';
import { FILEBEAT, FilebeatHosts } from './filebeat.ts';
import type { LogLine } from './line.ts';
import type { FilebeatLine, LogRecord, SignedLines } from './record.ts';

export interface LogStepDeps {
  readonly boots: Boots;
  readonly sequences: SequenceStep;
  readonly out: BatchBuilder;
  readonly stats: EnricherStats;
  readonly options: CompiledEnricherOptions;
}

export interface LogStep {
  /** EventBatches of what `readLogRecord` has read. `boot`: whose state has changed; null: none. */
  enrich(record: InRecord, read: LogRecord): { readonly boot: Boot | null; readonly batches: readonly Buffer[] };
  /** What of the step's own changed since the last call. */
  drain(partition: number, position: Position): StateChange[];
  /** false: the entry is none of this step's. */
  restore(entry: StateEntry): boolean;
}

/** logs-raw → events of the lane `log`. */
export function createLogStep({ boots, sequences, out, stats, options }: LogStepDeps): LogStep {
  const filebeats = new FilebeatHosts();

  /** Lines of an agent have its numbers: what comes again is dropped, and what never comes is a gap. */
  function enrichSigned(record: InRecord, signed: SignedLines): ReturnType<LogStep['enrich']> {
    const { bootId, run, wallOffset, sentAt, sequence, drops, lines } = signed;
    const boot = boots.hear(record.key, bootId, record.partition);
    const lanes = [{ lane: LANE.log, cpu: 0, sequence, drops }];
    out.begin({ boot, run, wallOffset, sentAt, receivedAt: record.timestamp, lanes });
    const ofRun = boot.run(u64ToHex(run));
    const lane = laneOf(ofRun, LANE.log, 0);
    sequences.readDrops(ofRun, lanes);
    for (const one of lines)
      if (sequences.isNew(lane, one, boot.tick)) addSigned(boot, one.line, one.sequence, wallOffset);
    sequences.readAnnounced(ofRun, lanes, boot.tick);
    return { boot, batches: out.finish() };
  }

  function addSigned(boot: Boot, line: LogLine, sequence: number, wallOffset: number): void {
    const ktime = line.at - wallOffset;
    // Only the journal knows who sent a line: a number in a line's text is what somebody wrote there.
    const process = line.journal && line.pid > 0 ? boot.processes.at(line.pid, ktime) : null;
    const event = logEvent(line, line.journal ? 'journald' : 'file', sequence, ktime, process);
    const container = process === null ? null : boot.containerOf(process);
    const partial = process === null || process.known ? '' : 'process unknown';
    out.add(process, container, null, -1, partial, event, 0, event.length);
    stats.logLines++;
    countEvent(stats, KIND.Log);
  }

  /**
   * A Filebeat's have numbers of their own, in a run of their own: whoever forges them can hide none of an agent's. It spreads keys over partitions in its
   * own way, perhaps to where nothing of the host is known.
   */
  function enrichFilebeat(record: InRecord, filebeat: FilebeatLine): ReturnType<LogStep['enrich']> {
    const { key: hostId, timestamp, partition } = record;
    const { line } = filebeat;
    const sequence = filebeats.take(hostId, filebeat);
    if (sequence === null) {
      stats.duplicates++;
      return { boot: null, batches: [] };
    }
    const boot = boots.latest(hostId) ?? new Boot(hostId, UNKNOWN_BOOT, options);
    const { wallOffset } = boot;
    const run = hash('sha256', `${FILEBEAT}\0${hostId}\0${partition}`, 'buffer').subarray(0, 8);
    out.begin({ boot, run, wallOffset, sentAt: line.at, receivedAt: timestamp, lanes: [] });
    const event = logEvent(line, 'filebeat', sequence, line.at - wallOffset, null);
    out.add(null, null, null, -1, '', event, 0, event.length);
    stats.filebeatLines++;
    countEvent(stats, KIND.Log);
    return { boot: null, batches: out.finish() };
  }

  return {
    enrich: (record, read) =>
      'signed' in read ? enrichSigned(record, read.signed) : enrichFilebeat(record, read.filebeat),
    drain: (partition, position) => filebeats.drain(partition, position),
    restore: (entry) => filebeats.restore(entry),
  };
}
