import { type CompiledRule, type Memories, RuleMemory, type SequenceMatch, type StateChange } from '@ringfence/rules';
import type { EventView } from '@ringfence/schema';

/**
 * What rules remember, apart for each boot of each host: another host's events never help to match, and times of CLOCK_BOOTTIME compare only within
 * a boot.
 */
export class BootMemories implements Memories<EventView> {
  readonly #hosts = new Map<string, Map<string, RuleMemory>>();
  /** of the batch in hand */
  #head: EventView['head'] | undefined;
  #memory: RuleMemory | undefined;

  of({ head }: EventView): RuleMemory {
    if (this.#head === head && this.#memory !== undefined) return this.#memory;
    this.#head = head;
    this.#memory = this.#at(head.hostId, head.bootId);
    return this.#memory;
  }

  tick(
    view: EventView,
    rules: readonly CompiledRule<EventView>[],
    report: (rule: CompiledRule<EventView>, match: SequenceMatch) => void,
  ): void {
    const { hostId, bootId } = view.head;
    this.#hosts.get(hostId)?.get(bootId)?.tick(rules, view.cursor.ktime, report);
  }

  restoreBoot(hostId: string, bootId: string, key: string, value: Uint8Array): void {
    this.#at(hostId, bootId).restore(key, value);
  }

  /** Changes of a host's boots since the last call. Boots that `isKept` denies are forgotten: all their keys are deleted. */
  takeHostChanges(hostId: string, isKept: (bootId: string) => boolean): (StateChange & { readonly bootId: string })[] {
    const boots = this.#hosts.get(hostId) ?? new Map<string, RuleMemory>();
    return [...boots].flatMap(([bootId, memory]) => {
      if (isKept(bootId)) return memory.takeChanges().map((change) => ({ ...change, bootId }));
      boots.delete(bootId);
      this.#head = undefined;
      return [...memory.snapshot()].map(({ key }) => ({ key, value: null, bootId }));
    });
  }

  forgetHost(hostId: string): void {
    this.#hosts.delete(hostId);
    this.#head = undefined;
  }

  #at(hostId: string, bootId: string): RuleMemory {
    const boots = this.#hosts.get(hostId) ?? new Map<string, RuleMemory>();
    this.#hosts.set(hostId, boots);
    const memory = boots.get(bootId) ?? new RuleMemory();
    boots.set(bootId, memory);
    return memory;
  }
}
