import { FILTERED_KINDS, FORMS } from '@ringfence/interest';
import { records, type Want } from '@ringfence/wire';
import { type PortClasses, type PortRule, portClasses } from './port-classes.ts';

const { HOST, CONTAINER } = records.Scope;
const EVERY = 0xffff_ffff_ffff_ffffn;
const LAST_GENERATION = 255;
/** ms. A program that began before the last change reads what was in force then for no longer than this. */
const GRACE_MS = 50;

/** The part of struct rf_control that says which of the two is in force. */
export interface Generations {
  generation: number;
}

/** What is wanted, as struct rf_interest has it. */
interface Masks {
  readonly kinds: [host: bigint, container: bigint];
  some: bigint;
  all: bigint;
  readonly ports: PortRule[];
}

/** rf_interests and rf_interest_ports in the sensor's .bss: the interest that is in force, and the one before. */
export class InterestTable {
  readonly #masks: DataView;
  readonly #ports: Uint8Array<ArrayBuffer>;
  readonly #control: Generations;
  /** by generation, of those that were set here */
  readonly #versions = new Map<number, number>();
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(masks: Uint8Array<ArrayBuffer>, ports: Uint8Array<ArrayBuffer>, control: Generations) {
    this.#masks = new DataView(masks.buffer, masks.byteOffset, masks.byteLength);
    this.#ports = ports;
    this.#control = control;
  }

  /** From when this returns each program that begins sees these wants, and nothing of those before. false: some ports could not be told apart, all were let through. */
  set(wants: readonly Want[] | null, version: number): boolean {
    this.#wait();
    const generation = next(this.#control.generation);
    const exact = this.#write(generation, masksOf(wants), version);
    this.#versions.set(generation, version);
    this.#control.generation = generation;
    this.#changedAt = performance.now();
    return exact;
  }

  /** Of a record that was filtered in this generation (header.generation); 0: before there was any, or too long before this start. */
  versionOf(generation: number): number {
    const { generation: now } = this.#control;
    const kept = generation !== 0 && (generation === now || next(generation) === now);
    return this.#versions.get(generation) ?? (kept ? this.#versionAt(generation) : 0);
  }

  #versionAt(generation: number): number {
    return Number(
      this.#masks.getBigUint64(place(generation) * records.SIZEOF_INTEREST + records.INTEREST_VERSION, true),
    );
  }

  /** The place is about to be written again: programs may still read it. */
  #wait(): void {
    const left = GRACE_MS - (performance.now() - this.#changedAt);
    if (left > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, left);
  }

  #write(generation: number, { kinds, some, all, ports }: Masks, version: number): boolean {
    const found = portClasses(ports, records.INTEREST_PORTS_PEER_LENGTH);
    const at = place(generation) * records.SIZEOF_INTEREST;
    const put = (offset: number, value: bigint): void => this.#masks.setBigUint64(at + offset, value, true);
    put(records.INTEREST_VERSION, BigInt(version));
    for (const [scope, mask] of kinds.entries()) put(records.INTEREST_KINDS + 8 * scope, mask);
    put(records.INTEREST_SOME, some);
    // More classes than there is room for: whoever asked for some ports gets all.
    put(records.INTEREST_ALL, found === null ? bitsOf(ports, all) : all);
    put(records.INTEREST_OWN, bitsOf(ports.filter(({ local }) => local.length > 0)));
    this.#writePorts(generation, found ?? { peer: [], local: [], classes: new Uint8Array(0) });
    return found !== null;
  }

  #writePorts(generation: number, { peer, local, classes }: PortClasses): void {
    const at = place(generation) * records.SIZEOF_INTEREST_PORTS;
    const view = new DataView(this.#ports.buffer, this.#ports.byteOffset + at, records.SIZEOF_INTEREST_PORTS);
    for (const [index, mask] of peer.entries()) view.setBigUint64(records.INTEREST_PORTS_PEER + 8 * index, mask, true);
    for (const [index, mask] of local.entries())
      view.setBigUint64(records.INTEREST_PORTS_LOCAL + 8 * index, mask, true);
    this.#ports.set(classes, at + records.INTEREST_PORTS_CLASSES);
  }
}

const bitsOf = (rules: readonly PortRule[], first = 0n): bigint =>
  rules.reduce((bits, rule) => bits | rule.bits, first);

/** Which of the two it has. */
const place = (generation: number): number => generation % 2;

/** The one that is not in force has the other parity. */
const next = (generation: number): number => (generation >= LAST_GENERATION ? 2 : generation + 1);

function masksOf(wants: readonly Want[] | null): Masks {
  if (wants === null) return { kinds: [EVERY, EVERY], some: EVERY, all: EVERY, ports: [] };
  const filtered = [...FILTERED_KINDS.values()].reduce((bits, number) => bits | (1n << BigInt(number)), 0n);
  const masks: Masks = { kinds: [EVERY & ~filtered, EVERY & ~filtered], some: 0n, all: 0n, ports: [] };
  for (const want of wants) add(masks, want);
  return masks;
}

/** What this sensor doesn't tell apart it sends: a form that it doesn't know is all of the kind, a scope everybody. */
function add(masks: Masks, { kind, form, scope, peerPorts, localPorts }: Want): void {
  const number = FILTERED_KINDS.get(kind);
  if (number === undefined) return;
  const whose = scope === 'host' ? HOST : scope === 'container' ? CONTAINER : HOST | CONTAINER;
  for (const index of [0, 1] as const) if (whose & (1 << index)) masks.kinds[index] |= 1n << BigInt(number);
  const own = FORMS.filter((one) => one.kind === kind);
  const meant = own.filter((one) => one.form === form);
  const bits = (meant.length > 0 ? meant : own).reduce(
    (sum, one) => sum | (BigInt(whose) << BigInt(2 * one.number)),
    0n,
  );
  masks.some |= bits;
  if (peerPorts.length + localPorts.length === 0) masks.all |= bits;
  else masks.ports.push({ bits, peer: peerPorts, local: localPorts });
}
