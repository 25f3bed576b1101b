import { type Interest, interestSince, interestVersion } from '@ringfence/interest';
import type { InterestRecord, Want } from '@ringfence/wire';

/** A detector publishes its interest every minute. Without a record for this long it counts as gone. */
const EXPIRES_AFTER_US = 300_000_000;
const MAX_DETECTORS = 1000;
/** Texts of each list. The sensor's maps hold fewer; beyond that it sends every open anyway. */
const MAX_ITEMS = 100_000;
const MAX_WANTS = 10_000;

/** The latest interest of each detector, and their union. */
export class DetectorInterests {
  readonly #byDetector = new Map<string, InterestRecord>();
  #last = '';
  #version = 0;

  /** Ignores a record older than the detector's last. Beyond MAX_DETECTORS, evicts the least recently updated. */
  update(record: InterestRecord): void {
    const known = this.#byDetector.get(record.detector);
    if (known !== undefined && known.at > record.at) return;
    this.#byDetector.delete(record.detector);
    this.#byDetector.set(record.detector, record);
    if (this.#byDetector.size > MAX_DETECTORS) this.#byDetector.delete(this.#byDetector.keys().next().value as string);
  }

  /** Makes `union` return its last result again, because it did not reach the agents. */
  resend(): void {
    this.#last = '';
  }

  /**
   * Returns the union over the detectors that have not expired. null when it has not changed, or when all detectors
   * have expired: the agents then keep their last interest. The version can be compared with those of other responders.
   */
  union(now: number): Interest | null {
    const live = [...this.#byDetector.values()].filter(({ at }) => at > now - EXPIRES_AFTER_US);
    if (live.length === 0) return null;
    const texts = textsOf(live);
    const wants = unionOf(live.map(({ wants }) => wants));
    const text = JSON.stringify([texts, wants]);
    if (text === this.#last) return null;
    this.#last = text;
    const since = Math.floor(Math.max(...live.map(({ at }) => at)) / 1_000_000);
    this.#version = interestVersion(Math.max(interestSince(this.#version) + 1, since), text);
    return { version: this.#version, ...texts, wants };
  }
}

/** Stands for the lists once every open is sent. */
const EVERY_OPEN = {
  openPathPrefixes: null,
  openNames: [],
  openExecutables: [],
  changePathPrefixes: [],
  changeNames: [],
};

/** When one detector wants every open, the lists of the others are redundant, but not the files and variables. */
function textsOf(live: readonly InterestRecord[]): Omit<Interest, 'version' | 'wants'> {
  const union = (name: Exclude<keyof Interest, 'version' | 'rawPaths' | 'wants'>): string[] =>
    [...new Set(live.flatMap((record) => record[name] ?? []))].sort();
  const opens = {
    openPathPrefixes: union('openPathPrefixes'),
    openNames: union('openNames'),
    openExecutables: union('openExecutables'),
    changePathPrefixes: union('changePathPrefixes'),
    changeNames: union('changeNames'),
  };
  const isEvery =
    live.some(({ openPathPrefixes }) => openPathPrefixes === null) ||
    Object.values(opens).some((list) => list.length > MAX_ITEMS);
  return {
    openPaths: union('openPaths').slice(0, MAX_ITEMS),
    rawPaths: live.some(({ rawPaths }) => rawPaths),
    environment: union('environment').slice(0, MAX_ITEMS),
    ...(isEvery ? EVERY_OPEN : opens),
  };
}

/** Without duplicates, in a stable order. null when a detector wants every kind, or when there are too many wants. */
function unionOf(all: readonly (readonly Want[] | null)[]): Want[] | null {
  if (!all.every((wants) => wants !== null)) return null;
  const distinct = new Map(all.flat().map((want) => [JSON.stringify(want), want]));
  if (distinct.size > MAX_WANTS) return null;
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, want]) => want);
}
