import type ipaddr from 'ipaddr.js';
import { PartlyKnown } from '../compile/nodes/known.ts';
import type { Test } from '../model/expression.ts';
import { type Network, parseNetwork } from '../text/ip.ts';

/** A value is present. */
export class SomeValue extends PartlyKnown {
  override decides<E>({ operator }: Test<E>): boolean | undefined {
    return operator === 'exists' ? true : undefined;
  }
}

/** Any value but these, or no value. */
export class SomethingElse extends PartlyKnown {
  readonly #not: readonly string[];

  constructor(not: readonly string[]) {
    super();
    this.#not = not;
  }

  override decides<E>({ operator, negated, values }: Test<E>): boolean | undefined {
    return operator === 'equals' && !negated && values.every((value) => this.#not.includes(String(value)))
      ? false
      : undefined;
  }
}

/** An address inside one of these networks (present), or outside all of them (if present). */
class Address extends PartlyKnown {
  readonly #networks: readonly Network[];
  readonly #inside: boolean;

  constructor(networks: readonly string[], inside: boolean) {
    super();
    this.#networks = networks.map((text) => parseNetwork(text)).filter((network) => network !== undefined);
    this.#inside = inside;
  }

  override decides<E>({ operator, negated, values }: Test<E>): boolean | undefined {
    if (operator === 'exists') return this.#inside ? true : undefined;
    if (operator !== 'cidr' && operator !== 'equals') return undefined;
    const asked = values.map((value) => parseNetwork(String(value)));
    if (!asked.every((network) => network !== undefined)) return undefined;
    const found = this.#inside ? this.#isIn(asked) : this.#isOut(asked);
    if (found === undefined) return undefined;
    // Without an address a negated test does not hold either.
    if (negated) return this.#inside ? !found : undefined;
    return found;
  }

  #isIn(asked: readonly Network[]): boolean | undefined {
    if (this.#networks.every((network) => asked.some((candidate) => covers(candidate, network)))) return true;
    const meets = this.#networks.some((network) =>
      asked.some((candidate) => covers(candidate, network) || covers(network, candidate)),
    );
    return meets ? undefined : false;
  }

  #isOut(asked: readonly Network[]): boolean | undefined {
    return asked.every((candidate) => this.#networks.some((network) => covers(network, candidate))) ? false : undefined;
  }
}

export const addressesInside = (networks: readonly string[]): PartlyKnown => new Address(networks, true);
export const addressesOutside = (networks: readonly string[]): PartlyKnown => new Address(networks, false);

/** Whether `outer` contains every address of `inner`. */
function covers(outer: Network, inner: Network): boolean {
  if (outer.bits > inner.bits || outer.address.kind() !== inner.address.kind()) return false;
  return (inner.address as ipaddr.IPv4).match(outer.address as ipaddr.IPv4, outer.bits);
}
