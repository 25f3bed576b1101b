import { statSync } from 'node:fs';
import { BpfError, type BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import type { SensorFilter } from '../filter/sensor-filter.ts';
import type { RunState } from '../pins/run-state.ts';
import { AgentLimits } from './limits.ts';
import { madeEntry } from './made-entry.ts';
import { damagedAmong, pinnedMaps } from './own-links.ts';
import type { TamperingLog } from './tampering-log.ts';

const {
  TAMPERING_STATE_RESTORED: RESTORED,
  TAMPERING_SENSOR_REMOVED: REMOVED,
  TAMPERING_AGENT_LIMIT: LIMIT,
} = records.TamperingOperation;

interface Restorable {
  /** Writes again what another process has changed. Returns the number of changes. */
  restore(): number;
}

export interface SelfCheckParts {
  readonly object: BpfObject;
  readonly filter: SensorFilter;
  readonly log: TamperingLog;
  readonly run: RunState;
  readonly pinPath: string;
  readonly cgroupRoot: string | null;
}

/**
 * Finds tampering that no hook sees, because root can write to the sensor's memory without a system call: what the
 * programs read is not what this agent last wrote there. Also finds removed pins and changed limits of the agent.
 */
export class SelfCheck {
  readonly #parts: SelfCheckParts;
  readonly #limits: AgentLimits;
  /** rf_tampered: the number of entries that the sensor has written */
  readonly #count: BigUint64Array;
  /** Names of the pinned maps */
  readonly #maps: readonly string[];
  #pinsChangedAt = 0;
  readonly #removed = new Set<string>();
  readonly #frozen = new Set<string>();
  /** `#count` at the last call */
  #counted = 0n;

  constructor(parts: SelfCheckParts) {
    this.#parts = parts;
    this.#limits = new AgentLimits(parts.cgroupRoot);
    this.#maps = pinnedMaps(parts.pinPath);
    const { buffer, byteOffset } = parts.object.section('.bss').bytes('rf_tampered');
    this.#count = new BigUint64Array(buffer, byteOffset, 1);
  }

  /** Restores what was changed since the last call. Returns an entry (struct rf_tampering_entry) for each change. */
  run(): readonly Buffer[] {
    const restored = [...this.#restoreFilter(), ...this.#restoreLog()];
    const limits = this.#limits.changed();
    return [
      ...restored.map(([name, count]) => madeEntry(RESTORED, name, count)),
      ...(limits.length === 0 ? [] : [madeEntry(LIMIT, limits[0] ?? '', limits.length)]),
      ...this.#removedPins(),
    ];
  }

  /** Returns the changed objects, with the number of changed words, tables or entries. */
  #restoreFilter(): readonly (readonly [name: string, changed: number])[] {
    const { control, interests, watched, hashes, files } = this.#parts.filter;
    const { run } = this.#parts;
    return Object.entries({
      rf_control: control,
      rf_run: run,
      rf_interests: interests,
      rf_unwatched: hashes.unwatched,
      rf_unnamed: hashes.unnamed,
      rf_watched: watched.prefixes,
      rf_names: watched.names,
      rf_executables: watched.executables,
      rf_changed: watched.changedPrefixes,
      rf_changed_names: watched.changedNames,
      rf_variables: watched.variables,
      rf_files: files,
    })
      .map(([name, part]) => [name, this.#restore(name, part)] as const)
      .filter(([, changed]) => changed > 0);
  }

  /** A map that another process has frozen can't be restored: that is reported once, as one change. */
  #restore(name: string, part: Restorable): number {
    if (this.#frozen.has(name)) return 0;
    try {
      return part.restore();
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      this.#frozen.add(name);
      return 1;
    }
  }

  /**
   * A number below that of the last entry would hide the next entries. Entries that were counted at the last call, and
   * were not read since, have been erased.
   */
  #restoreLog(): readonly (readonly [name: string, changed: number])[] {
    const { log } = this.#parts;
    const count = Atomics.load(this.#count, 0);
    const expected = this.#counted;
    this.#counted = count;
    if (count < log.taken) {
      Atomics.compareExchange(this.#count, 0, count, log.taken);
      return [['rf_tampered', 1]];
    }
    const erased = Number(expected - log.taken);
    if (erased <= 0) return [];
    log.skipTo(expected);
    return [['rf_tamperings', erased]];
  }

  /** Reports each removed pin once. While the agent detaches its hooks itself, `run.hooks` is 0. */
  #removedPins(): readonly Buffer[] {
    const { object, run, pinPath } = this.#parts;
    const changedAt = statSync(pinPath, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (run.hooks === 0 || changedAt === this.#pinsChangedAt) return [];
    this.#pinsChangedAt = changedAt;
    const maps = new Set(pinnedMaps(pinPath));
    const missing = this.#maps.filter((name) => !maps.has(name));
    const removed = [...damagedAmong(object.map('rf_own_links'), pinPath), ...missing].filter(
      (name) => !this.#removed.has(name),
    );
    for (const name of removed) this.#removed.add(name);
    return removed.length === 0 ? [] : [madeEntry(REMOVED, removed[0] ?? '', removed.length)];
  }
}
