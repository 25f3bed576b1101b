import { type CompiledRule, type Threshold, type ThresholdChange, ThresholdState } from '@ringfence/rules';
import type { EventView } from '@ringfence/schema';

/**
 * What thresholds count, apart for each boot of each host: another host's events never help to cross one, and times of CLOCK_BOOTTIME compare only
 * within a boot.
 */
export class BootThresholds extends ThresholdState {
  readonly #hosts = new Map<string, Map<string, ThresholdState>>();

  override crosses<E>(rule: CompiledRule<E>, threshold: Threshold<E>, event: E, timeUs: number): boolean {
    const { hostId, bootId } = (event as EventView).head;
    return this.#at(hostId, bootId).crosses(rule, threshold, event, timeUs);
  }

  expireBoot(hostId: string, bootId: string, rules: readonly CompiledRule<EventView>[], timeUs: number): void {
    this.#hosts.get(hostId)?.get(bootId)?.expire(rules, timeUs);
  }

  restoreBoot(hostId: string, bootId: string, key: string, value: Uint8Array): void {
    this.#at(hostId, bootId).restore(key, value);
  }

  /** Changes of a host's boots since the last call. Boots that `isKept` denies are forgotten: all their keys are deleted. */
  takeHostChanges(
    hostId: string,
    isKept: (bootId: string) => boolean,
  ): (ThresholdChange & { readonly bootId: string })[] {
    const boots = this.#hosts.get(hostId) ?? new Map<string, ThresholdState>();
    return [...boots].flatMap(([bootId, state]) => {
      if (isKept(bootId)) return state.takeChanges().map((change) => ({ ...change, bootId }));
      boots.delete(bootId);
      return [...state.snapshot()].map(({ key }) => ({ key, value: null, bootId }));
    });
  }

  forgetHost(hostId: string): void {
    this.#hosts.delete(hostId);
  }

  #at(hostId: string, bootId: string): ThresholdState {
    const boots = this.#hosts.get(hostId) ?? new Map<string, ThresholdState>();
    this.#hosts.set(hostId, boots);
    const state = boots.get(bootId) ?? new ThresholdState();
    boots.set(bootId, state);
    return state;
  }
}
