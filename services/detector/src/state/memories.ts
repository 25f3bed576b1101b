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

/** Of what rules remember, since the start. */
export type MemoryLosses = Pick<DetectorStats, 'forgottenKeys' | 'lateEvents' | 'heldAlerts' | 'damagedEntries'>;

/** In place of a boot: what a host's boots have in common. */
const ANY_BOOT = '';

/**
 * What rules remember, apart for each boot of each host: another host's events never help to match, and times of CLOCK_BOOTTIME compare only within
 * a boot. What `first_seen` remembers goes by the wall clock, and on through reboots.
 */
export class BootMemories implements Memories<EventView> {
  readonly #hosts = new Map<string, Map<string, BootMemory>>();
  readonly witness: EventWitness = new EventWitness();
  /** of boots and hosts that are forgotten */
  readonly #gone = { forgottenKeys: 0, lateEvents: 0, heldAlerts: 0, damagedEntries: 0 };
  readonly #seen = new Map<string, SeenState>();
  /** of the batch in hand */
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

  /** What can't be read is dropped and counted: one key begins anew, and the detector goes on. */
  restoreBoot(hostId: string, bootId: string, key: string, value: Uint8Array): void {
    try {
      if (bootId === ANY_BOOT) this.#seenOn(hostId).restore(key, value);
      else this.#at(hostId, bootId).restore(key, value, this.witness);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.#gone.damagedEntries++;
    }
  }

  /** Changes of a host's boots since the last call. Boots that `isKept` denies are forgotten: all their keys are deleted. */
  takeHostChanges(hostId: string, isKept: (bootId: string) => boolean): (StateChange & { readonly bootId: string })[] {
    const boots = this.#hosts.get(hostId) ?? new Map<string, BootMemory>();
    const seen = this.#seenOn(hostId).takeChanges();
    const ofBoots = [...boots].flatMap(([bootId, memory]) => {
      if (isKept(bootId)) return memory.takeChanges().map((change) => ({ ...change, bootId }));
      boots.delete(bootId);
      addLosses(this.#gone, memory);
      this.#head = undefined;
      return [...memory.snapshot()].map(({ key }) => ({ key, value: null, bootId }));
    });
    return [...ofBoots, ...seen.map((change) => ({ ...change, bootId: ANY_BOOT }))];
  }

  losses(): MemoryLosses {
    const sum = { ...this.#gone };
    for (const boots of this.#hosts.values()) for (const memory of boots.values()) addLosses(sum, memory);
    for (const seen of this.#seen.values()) sum.forgottenKeys += seen.stats().evicted;
    return sum;
  }

  forgetHost(hostId: string): void {
    for (const memory of this.#hosts.get(hostId)?.values() ?? []) addLosses(this.#gone, memory);
    this.#gone.forgottenKeys += this.#seen.get(hostId)?.stats().evicted ?? 0;
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

/** Returns the memory of rules that `compileDetectorRules` compiled, or that were updated from such. */
export function memoriesOf({ memory }: RuleSet<EventView>): BootMemories {
  if (!(memory instanceof BootMemories)) throw new TypeError('rules of the detector come from compileDetectorRules');
  return memory;
}
