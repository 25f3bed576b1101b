import type ipaddr from 'ipaddr.js';
import { PartlyKnown } from '../compile/nodes/known.ts';
import type { Test } from '../model/expression.ts';
import { type Network, parseNetwork } from '../text/ip.ts';

/** There is a value. */
export class SomeValue extends PartlyKnown {
  override decides<E>({ operator }: Test<E>): boolean | undefined {
    return operator === 'exists' ? true : undefined;
  }
}

/** None of these values, or none at all. */
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

/** An address that lies in one of these networks (there is one), or one that lies in none of them (if there is one). */
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
    // Where there is no address, a negated test doesn't hold either.
    if (negated) return this.#inside ? !found : undefined;
    return found;
  }

  #isIn(asked: readonly Network[]): boolean | undefined {
    if (this.#networks.every((own) => asked.some((one) => covers(one, own)))) return true;
    const meets = this.#networks.some((own) => asked.some((one) => covers(one, own) || covers(own, one)));
    return meets ? undefined : false;
  }

  #isOut(asked: readonly Network[]): boolean | undefined {
    return asked.every((one) => this.#networks.some((own) => covers(own, one))) ? false : undefined;
  }
}

export const addressesInside = (networks: readonly string[]): PartlyKnown => new Address(networks, true);
export const addressesOutside = (networks: readonly string[]): PartlyKnown => new Address(networks, false);

/** Every address of `inner` lies in `outer`. */
function covers(outer: Network, inner: Network): boolean {
  if (outer.bits > inner.bits || outer.address.kind() !== inner.address.kind()) return false;
  return (inner.address as ipaddr.IPv4).match(outer.address as ipaddr.IPv4, outer.bits);
}
