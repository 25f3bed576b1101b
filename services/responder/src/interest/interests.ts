import { type Interest, interestSince, interestVersion } from '@ringfence/interest';
import type { InterestRecord, Want } from '@ringfence/wire';

/** A detector says it every minute; one that has said nothing for so long is gone, µs. */
const FORGOTTEN_AFTER_US = 300_000_000;
const MAX_DETECTORS = 1000;
/** Of each kind. More than the kernel holds means every open anyway. */
const MAX_ITEMS = 100_000;
const MAX_WANTS = 10_000;

/** What each detector's rules can match, and all of it together. */
export class Interests {
  readonly #heard = new Map<string, InterestRecord>();
  #last = '';
  #version = 0;

  /** An older word than the last of this detector changes nothing. Beyond MAX_DETECTORS the one heard longest ago goes. */
  hear(said: InterestRecord): void {
    const known = this.#heard.get(said.detector);
    if (known !== undefined && known.at > said.at) return;
    this.#heard.delete(said.detector);
    this.#heard.set(said.detector, said);
    if (this.#heard.size > MAX_DETECTORS) this.#heard.delete(this.#heard.keys().next().value as string);
  }

  /** What `union` gave last did not reach the agents: it is given again. */
  untold(): void {
    this.#last = '';
  }

  /**
   * The union over the detectors heard of lately; null: it is what it was, or there is none, and agents then keep what they were told, as silence must
   * not blind them. Its version is comparable with every responder's.
   */
  union(now: number): Interest | null {
    const live = [...this.#heard.values()].filter(({ at }) => at > now - FORGOTTEN_AFTER_US);
    if (live.length === 0) return null;
    const texts = textsOf(live);
    const wants = unionOf(live.map((said) => said.wants));
    const text = JSON.stringify([texts, wants]);
    if (text === this.#last) return null;
    this.#last = text;
    const since = Math.floor(Math.max(...live.map(({ at }) => at)) / 1_000_000);
    this.#version = interestVersion(Math.max(interestSince(this.#version) + 1, since), text);
    return { version: this.#version, ...texts, wants };
  }
}

const LISTS = ['openNames', 'openExecutables', 'changePathPrefixes', 'changeNames'] as const;

/** What somebody wants of every open takes all texts in. */
function textsOf(live: readonly InterestRecord[]): Omit<Interest, 'version' | 'wants'> {
  const [prefixes, ...lists] = [
    live.map(({ openPathPrefixes }) => openPathPrefixes ?? []),
    ...LISTS.map((name) => live.map((said) => said[name])),
  ].map((all) => [...new Set(all.flat())].sort());
  const every = live.some(({ openPathPrefixes }) => openPathPrefixes === null);
  const all = every || [prefixes, ...lists].some((list = []) => list.length > MAX_ITEMS);
  const [openNames = [], openExecutables = [], changePathPrefixes = [], changeNames = []] = all ? [] : lists;
  return {
    openPathPrefixes: all ? null : (prefixes ?? []),
    openNames,
    openExecutables,
    changePathPrefixes,
    changeNames,
  };
}

/** Each once, in one order; null: somebody wants everything, or says so much that nobody can tell. */
function unionOf(all: readonly (readonly Want[] | null)[]): Want[] | null {
  if (!all.every((wants) => wants !== null)) return null;
  const each = new Map(all.flat().map((want) => [JSON.stringify(want), want]));
  if (each.size > MAX_WANTS) return null;
  return [...each].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, want]) => want);
}
