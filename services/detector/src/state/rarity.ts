import type { Host } from './host.ts';

/** In how many chains each rule has had a part, over the hosts of a partition: a sample of the fleet, and all of it where there is one partition. */
export class Rarity {
  readonly #chains = new Map<string, number>();

  of(rule: string): number {
    return this.#chains.get(rule) ?? 0;
  }

  /** A chain of the host has the rule now. */
  note(host: Host, rule: string): void {
    host.rarity.set(rule, (host.rarity.get(rule) ?? 0) + 1);
    this.#chains.set(rule, this.of(rule) + 1);
  }

  /** After a host was restored. */
  add(host: Host): void {
    for (const [rule, chains] of host.rarity) this.#chains.set(rule, this.of(rule) + chains);
  }
}
