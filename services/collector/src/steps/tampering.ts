import type { Log } from '@ringfence/base';
import { type OnCgroup, type Sensor, transcodeAt } from '@ringfence/sensor';
import type { SyslogKind, SyslogSender } from '@ringfence/syslog';
import { decodeText, LANE, nanosToMicros, records } from '@ringfence/wire';
import type { Batch } from '../delivery/batch.ts';
import type { NextSequence } from './agent-events.ts';

export interface TamperingParts {
  readonly tampering: Sensor['tampering'];
  readonly batch: Batch;
  readonly next: NextSequence;
  readonly seenCgroup: OnCgroup;
  /** Called when the agent or its partner was moved to another cgroup */
  readonly onMoved: () => void;
  /** null: no server is set */
  readonly syslog: Pick<SyslogSender, 'send' | 'retry'> | null;
  readonly log: Log;
}

/** The messages of `collector.tampering.syslog`. */
export const TAMPERING: SyslogKind = {
  id: 'tampering',
  severity: 1,
  text: 'tampering with the agent or its sensor',
};

const operationNames = new Map(
  Object.entries(records.TamperingOperation).map(([name, value]) => [value as number, name.toLowerCase()]),
);

/**
 * Reports tampering with the agent or its sensor: one event, one warning and, if there is a server for them, one syslog
 * message for each entry of the sensor's list.
 */
export class TamperingReporter {
  readonly #parts: TamperingParts;

  constructor(parts: TamperingParts) {
    this.#parts = parts;
  }

  /**
   * Writes the entries of `found` (struct rf_tampering_entry each), which user space has made, and the sensor's entries
   * since the last call. Call it after the events of the tampering processes, so that readers know these processes.
   */
  report(found: readonly Buffer[] = []): void {
    const { tampering, log } = this.#parts;
    const { entries, lost } = tampering.take();
    if (lost > 0)
      log.warn({ lost }, 'more tampering with the agent than the sensor can keep: the oldest entries are lost');
    for (const entry of [...found, ...entries]) this.#write(entry);
    this.#parts.syslog?.retry();
  }

  /** Records that all reported entries are on the bus or in the spool, so that the next start does not repeat them. */
  markDelivered(): void {
    this.#parts.tampering.acknowledge();
  }

  /** The event has the time of the tampering, and the process that did it. */
  #write(bytes: Buffer): void {
    const { batch, next, seenCgroup, syslog, log } = this.#parts;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const ktime = nanosToMicros(bytes, records.HEADER_KTIME);
    const pid = records.headerTgid(view, 0);
    if (pid > 0) seenCgroup(records.headerCgroupLo(view, 0), records.headerCgroupHi(view, 0), ktime, false);
    transcodeAt({ view, bytes }, 0, { lane: LANE.context, sequence: next(LANE.context), ktime }, batch);
    const operation = operationNames.get(records.tamperingOperation(view, 0)) ?? 'unknown';
    const object = text(view, bytes, records.TAMPERING_PROGRAM);
    const detail = records.tamperingDetail(view, 0);
    const by = { pid, uid: records.tamperingUid(view, 0), executable: text(view, bytes, records.TAMPERING_EXECUTABLE) };
    if (records.tamperingOperation(view, 0) === records.TamperingOperation.TAMPERING_AGENT_MOVE) this.#parts.onMoved();
    log.warn({ operation, object, detail, by }, 'tampering with the agent or its sensor');
    syslog?.send({ at: (ktime + batch.facts.wallOffset) / 1000, details: { operation, object, detail, ...by } });
  }
}

function text(view: DataView, bytes: Buffer, at: number): string {
  const start = records.textOffset(view, at);
  return decodeText(bytes, start, start + records.textKept(view, at));
}
