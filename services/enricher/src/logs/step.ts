import { hash } from 'node:crypto';
import type { InRecord, Position, StateChange, StateEntry } from '@ringfence/bus';
import { KIND, LANE, nanosToMicros, UNKNOWN_BOOT, u64ToHex } from '@ringfence/wire';
import type { CompiledEnricherOptions } from '../config.ts';
import { countEvent, type EnricherStats } from '../metrics.ts';
import { Boot, laneOf } from '../state/boot.ts';
import type { Boots } from '../state/boots.ts';
import type { ProcessEntry } from '../state/process.ts';
import type { BatchBuilder } from '../steps/batch.ts';
import type { Enriched } from '../steps/enrich-batch.ts';
import type { SequenceStep } from '../steps/sequences.ts';
import { logEvent, parseSigned } from './event.ts';
import { FILEBEAT, FilebeatHosts } from './filebeat.ts';
import type { LogLine } from './line.ts';
import { parseMessage } from './parsers/parse.ts';
import type { Parsed } from './parsers/parsed.ts';
import type { FilebeatLine, LogRecord, SignedLines } from './record.ts';

export interface LogStepDeps {
  readonly boots: Boots;
  readonly sequences: SequenceStep;
  readonly out: BatchBuilder;
  readonly stats: EnricherStats;
  readonly options: CompiledEnricherOptions;
}

export interface LogStep {
  /** Returns the EventBatches of a record that `readLogRecord` has read. */
  enrich(record: InRecord, content: LogRecord): Enriched;
  /** Returns the changes of the step's own entries since the last call. */
  drain(partition: number, position: Position): StateChange[];
  /** Returns false if the entry belongs to another step. */
  restore(entry: StateEntry): boolean;
}

/** logs-raw → events of the lane `log`. */
export function createLogStep({ boots, sequences, out, stats, options }: LogStepDeps): LogStep {
  const filebeatHosts = new FilebeatHosts();

  /** Lines of an agent have sequence numbers: duplicates are dropped, and missing lines are a gap. */
  function enrichSigned(record: InRecord, signed: SignedLines): Enriched {
    const { bootId, run, wallOffset, sentAt, sequence, drops, lines } = signed;
    const boot = boots.activate(record.key, bootId, record.partition);
    const lanes = [{ lane: LANE.log, cpu: 0, sequence, drops }];
    out.begin({ boot, run, wallOffset, sentAt, receivedAt: record.timestamp, lanes });
    const runLanes = boot.run(u64ToHex(run));
    const lane = laneOf(runLanes, LANE.log, 0);
    sequences.readDrops(runLanes, lanes);
    for (const numbered of lines)
      if (sequences.isNew(lane, numbered, boot.tick)) addSigned(boot, numbered.line, numbered.sequence, wallOffset);
    sequences.readAnnounced(runLanes, lanes, boot.tick);
    return { boot, batches: out.finish() };
  }

  function addSigned(boot: Boot, line: LogLine, sequence: number, wallOffset: number): void {
    const ktime = line.at - wallOffset;
    const parsed = parseSigned(line);
    const process = subjectOf(boot, line, parsed, wallOffset);
    const event = logEvent({ line, parsed, origin: line.origin, sequence, ktime, process });
    const container = process === null ? null : boot.containerOf(process);
    const isMissing = process === null ? (parsed.process?.pid ?? 0) > 0 : !process.known;
    const partial = isMissing ? 'process unknown' : '';
    out.add(process, container, null, -1, partial, event, 0, event.length);
    stats.logLines++;
    countEvent(stats, KIND.Log);
  }

  /**
   * Filebeat's lines have their own run and sequence numbers, so that forged ones can't hide an agent's lines. Filebeat
   * chooses partitions in another way than agents, so the host may be unknown in this partition.
   */
  function enrichFilebeat(record: InRecord, filebeat: FilebeatLine): Enriched {
    const { key: hostId, timestamp, partition } = record;
    const { line } = filebeat;
    const sequence = filebeatHosts.take(hostId, filebeat);
    if (sequence === null) {
      stats.duplicates++;
      return { boot: null, batches: [] };
    }
    const boot = boots.latest(hostId) ?? new Boot(hostId, UNKNOWN_BOOT, options);
    const { wallOffset } = boot;
    const run = hash('sha256', `${FILEBEAT}\0${hostId}\0${partition}`, 'buffer').subarray(0, 8);
    out.begin({ boot, run, wallOffset, sentAt: line.at, receivedAt: timestamp, lanes: [] });
    const parsed = parseMessage(line.program, line.text);
    const event = logEvent({ line, parsed, origin: 'filebeat', sequence, ktime: line.at - wallOffset, process: null });
    out.add(null, null, null, -1, '', event, 0, event.length);
    stats.filebeatLines++;
    countEvent(stats, KIND.Log);
    return { boot: null, batches: out.finish() };
  }

  return {
    enrich: (record, content) =>
      'signed' in content ? enrichSigned(record, content.signed) : enrichFilebeat(record, content.filebeat),
    drain: (partition, position) => filebeatHosts.drain(partition, position),
    restore: (entry) => filebeatHosts.restore(entry),
  };
}

/** Sensors read the start of a process from different clocks, in steps of up to 10 ms. */
const START_TOLERANCE_US = 1_000_000;

/**
 * Returns the process that wrote a line or that an alert is about. Only the journal knows the sender of a line, because
 * a pid in the text of a line may be forged. A process that started at another time than the alert says is another one.
 */
function subjectOf(boot: Boot, line: LogLine, { process }: Parsed, wallOffset: number): ProcessEntry | null {
  const at = line.at - wallOffset;
  if (line.origin === 'journald') return line.pid > 0 ? boot.processes.at(line.pid, at) : null;
  if (process === undefined || process.pid === 0) return null;
  if (process.startedAt === null) return boot.processes.at(process.pid, at);
  const start = process.startedAt - wallOffset;
  const found = boot.processes.at(process.pid, start + START_TOLERANCE_US);
  return found !== null && Math.abs(nanosToMicros(found.start) - start) <= START_TOLERANCE_US ? found : null;
}
