import {
  BootMemory,
  type CompiledRule,
  type FirstSeen,
  type Memories,
  type OnTold,
  type RuleSet,
  SeenState,
  type StateChange,
  StateError,
} from '@ringfence/rules';
import { type EventView, EventWitness } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';

/** Losses of the rules' memory since the start */
export type MemoryLosses = Pick<DetectorStats, 'forgottenKeys' | 'lateEvents' | 'heldAlerts' | 'damagedEntries'>;

/** Stands for memory that all boots of a host share */
const ANY_BOOT = '';

/**
 * The memory of rules, separate for each boot of each host: events of two hosts never match together, and times of
 * CLOCK_BOOTTIME compare only within a boot. The memory of `first_seen` uses the wall clock and survives reboots.
 */
export class BootMemories implements Memories<EventView> {
  readonly #hosts = new Map<string, Map<string, BootMemory>>();
  readonly witness: EventWitness = new EventWitness();
  /** Losses of boots and hosts that are forgotten */
  readonly #forgotten = { forgottenKeys: 0, lateEvents: 0, heldAlerts: 0, damagedEntries: 0 };
  readonly #seen = new Map<string, SeenState>();
  /** Of the current batch */
  #head: EventView['head'] | undefined;
  #memory: BootMemory | undefined;

  of({ head }: EventView): BootMemory {
    if (this.#head === head && this.#memory !== undefined) return this.#memory;
    this.#head = head;
    this.#memory = this.#at(head.hostId, head.bootId);
    return this.#memory;
  }

  isFirst(rule: CompiledRule<EventView>, firstSeen: FirstSeen<EventView>, event: EventView): boolean {
    return this.#seenOn(event.head.hostId).isFirst(rule, firstSeen, event, event.timestamp);
  }

  tick(view: EventView, rules: readonly CompiledRule<EventView>[], report: OnTold<EventView>): void {
    const { hostId, bootId } = view.head;
    this.#hosts.get(hostId)?.get(bootId)?.tick(rules, view.cursor.ktime, report, this.witness);
    this.#seenOn(hostId).tick(rules, view.timestamp);
  }

  /** A damaged entry is dropped and counted: one key starts afresh, and the detector continues. */
  restoreBoot(hostId: string, bootId: string, key: string, value: Uint8Array): void {
    try {
      if (bootId === ANY_BOOT) this.#seenOn(hostId).restore(key, value);
      else this.#at(hostId, bootId).restore(key, value, this.witness);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.#forgotten.damagedEntries++;
    }
  }

  /** Returns the changes of a host's boots since the last call, and deletes all keys of boots that are not kept. */
  takeHostChanges(hostId: string, isKept: (bootId: string) => boolean): (StateChange & { readonly bootId: string })[] {
    const boots = this.#hosts.get(hostId) ?? new Map<string, BootMemory>();
    const seen = this.#seenOn(hostId).takeChanges();
    const ofBoots = [...boots].flatMap(([bootId, memory]) => {
      if (isKept(bootId)) return memory.takeChanges().map((change) => ({ ...change, bootId }));
      boots.delete(bootId);
      addLosses(this.#forgotten, memory);
      this.#head = undefined;
      return [...memory.snapshot()].map(({ key }) => ({ key, value: null, bootId }));
    });
    return [...ofBoots, ...seen.map((change) => ({ ...change, bootId: ANY_BOOT }))];
  }

  losses(): MemoryLosses {
    const sum = { ...this.#forgotten };
    for (const boots of this.#hosts.values()) for (const memory of boots.values()) addLosses(sum, memory);
    for (const seen of this.#seen.values()) sum.forgottenKeys += seen.stats().evicted;
    return sum;
  }

  forgetHost(hostId: string): void {
    for (const memory of this.#hosts.get(hostId)?.values() ?? []) addLosses(this.#forgotten, memory);
    this.#forgotten.forgottenKeys += this.#seen.get(hostId)?.stats().evicted ?? 0;
    this.#hosts.delete(hostId);
    this.#seen.delete(hostId);
    this.#head = undefined;
  }

  #seenOn(hostId: string): SeenState {
    const seen = this.#seen.get(hostId) ?? new SeenState();
    this.#seen.set(hostId, seen);
    return seen;
  }

  #at(hostId: string, bootId: string): BootMemory {
    const boots = this.#hosts.get(hostId) ?? new Map<string, BootMemory>();
    this.#hosts.set(hostId, boots);
    const memory = boots.get(bootId) ?? new BootMemory();
    boots.set(bootId, memory);
    return memory;
  }
}

function addLosses(sum: { -readonly [name in keyof MemoryLosses]: number }, memory: BootMemory): void {
  const { thresholds, sequences, summaries } = memory.stats();
  sum.forgottenKeys += thresholds.evicted + sequences.evicted + summaries.evicted;
  sum.lateEvents += sequences.late;
  sum.heldAlerts += thresholds.held;
  sum.damagedEntries += sequences.damaged;
}

/** Returns the memory of rules from `compileDetectorRules` or `reloadRules`. Throws TypeError for other rules. */
export function memoriesOf({ memory }: RuleSet<EventView>): BootMemories {
  if (!(memory instanceof BootMemories)) throw new TypeError('rules of the detector come from compileDetectorRules');
  return memory;
}
