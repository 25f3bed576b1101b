import { FILTERED_KINDS, FORMS } from '@ringfence/interest';
import { records, type Want } from '@ringfence/wire';
import { type PortClasses, type PortRule, portClasses } from './port-classes.ts';
import { SharedBytes } from './shared-bytes.ts';

const { HOST, CONTAINER } = records.Scope;
const ALL_BITS = 0xffff_ffff_ffff_ffffn;
const LAST_GENERATION = 255;
/** How long a program that began before a change may still read the previous interest. */
const GRACE_MS = 50;

/** The member of struct rf_control that selects which of the two interests is in force. */
export interface Generations {
  generation: number;
}

/** The masks of struct rf_interest, and the rules for its ports. */
interface Masks {
  readonly kinds: [host: bigint, container: bigint];
  some: bigint;
  all: bigint;
  readonly ports: PortRule[];
}

/** rf_interests and rf_interest_ports in the sensor's .bss: the interest in force, and the previous one. */
export class InterestTable {
  readonly #interests: SharedBytes;
  readonly #ports: SharedBytes;
  readonly #masks: DataView;
  readonly #control: Generations;
  /** By generation: versions that were set by this agent. */
  readonly #versions = new Map<number, number>();
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(interests: Uint8Array<ArrayBuffer>, ports: Uint8Array<ArrayBuffer>, control: Generations) {
    this.#interests = new SharedBytes(interests);
    this.#ports = new SharedBytes(ports);
    this.#masks = new DataView(this.#interests.written.buffer);
    this.#control = control;
  }

  /** Writes both interests again if another process has changed them. Returns the number of changed tables. */
  restore(): number {
    return this.#interests.restore() + this.#ports.restore();
  }

  /**
   * Puts an interest into force: every program that begins after this call sees exactly these wants. Returns false if
   * the rules distinguish more ports than the kernel can; then events of all ports are sent.
   * @param wants null stands for every event
   */
  set(wants: readonly Want[] | null, version: number): boolean {
    this.#awaitGracePeriod();
    const generation = generationAfter(this.#control.generation);
    const exact = this.#write(generation, masksOf(wants), version);
    this.#versions.set(generation, version);
    this.#control.generation = generation;
    this.#changedAt = performance.now();
    return exact;
  }

  /**
   * Returns the version of the interest by which a record was filtered.
   * @param generation the record's header.generation
   * @returns 0 if there was no interest yet, or if its version is no longer known
   */
  versionOf(generation: number): number {
    const { generation: current } = this.#control;
    const isStored = generation !== 0 && (generation === current || generationAfter(generation) === current);
    return this.#versions.get(generation) ?? (isStored ? this.#storedVersion(generation) : 0);
  }

  #storedVersion(generation: number): number {
    const at = indexOf(generation) * records.SIZEOF_INTEREST + records.INTEREST_VERSION;
    return Number(this.#masks.getBigUint64(at, true));
  }

  /** The interest that is about to be overwritten may still be read by programs that began before the last change. */
  #awaitGracePeriod(): void {
    const remainingMs = GRACE_MS - (performance.now() - this.#changedAt);
    if (remainingMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, remainingMs);
  }

  #write(generation: number, { kinds, some, all, ports }: Masks, version: number): boolean {
    const classes = portClasses(ports, records.INTEREST_PORTS_PEER_LENGTH);
    const at = indexOf(generation) * records.SIZEOF_INTEREST;
    const put = (offset: number, value: bigint): void => this.#masks.setBigUint64(at + offset, value, true);
    put(records.INTEREST_VERSION, BigInt(version));
    for (const [scope, mask] of kinds.entries()) put(records.INTEREST_KINDS + 8 * scope, mask);
    put(records.INTEREST_SOME, some);
    // With too many classes, the forms that are wanted for some ports are sent for all.
    put(records.INTEREST_ALL, classes === null ? bitsOf(ports, all) : all);
    put(records.INTEREST_OWN, bitsOf(ports.filter(({ local }) => local.length > 0)));
    this.#interests.publish(at, records.SIZEOF_INTEREST);
    this.#writePorts(generation, classes ?? { peer: [], local: [], classes: new Uint8Array(0) });
    return classes !== null;
  }

  #writePorts(generation: number, { peer, local, classes }: PortClasses): void {
    const at = indexOf(generation) * records.SIZEOF_INTEREST_PORTS;
    const { written } = this.#ports;
    const view = new DataView(written.buffer, at, records.SIZEOF_INTEREST_PORTS);
    for (const [index, mask] of peer.entries()) view.setBigUint64(records.INTEREST_PORTS_PEER + 8 * index, mask, true);
    for (const [index, mask] of local.entries())
      view.setBigUint64(records.INTEREST_PORTS_LOCAL + 8 * index, mask, true);
    written.set(classes, at + records.INTEREST_PORTS_CLASSES);
    this.#ports.publish(at, records.SIZEOF_INTEREST_PORTS);
  }
}

const bitsOf = (rules: readonly PortRule[], initial = 0n): bigint =>
  rules.reduce((bits, rule) => bits | rule.bits, initial);

/** Index of a generation in the two-element arrays. */
const indexOf = (generation: number): number => generation % 2;

/** The next generation always has the other parity, so that it uses the element that is not in force. */
const generationAfter = (generation: number): number => (generation >= LAST_GENERATION ? 2 : generation + 1);

function masksOf(wants: readonly Want[] | null): Masks {
  if (wants === null) return { kinds: [ALL_BITS, ALL_BITS], some: ALL_BITS, all: ALL_BITS, ports: [] };
  const filtered = [...FILTERED_KINDS.values()].reduce((bits, number) => bits | (1n << BigInt(number)), 0n);
  const masks: Masks = { kinds: [ALL_BITS & ~filtered, ALL_BITS & ~filtered], some: 0n, all: 0n, ports: [] };
  for (const want of wants) addWant(masks, want);
  return masks;
}

/**
 * An unknown form stands for all forms of its kind and an unknown scope for both, so that nothing wanted is dropped.
 */
function addWant(masks: Masks, { kind, form, scope, peerPorts, localPorts }: Want): void {
  const number = FILTERED_KINDS.get(kind);
  if (number === undefined) return;
  const scopes = scope === 'host' ? HOST : scope === 'container' ? CONTAINER : HOST | CONTAINER;
  for (const index of [0, 1] as const) if (scopes & (1 << index)) masks.kinds[index] |= 1n << BigInt(number);
  const formsOfKind = FORMS.filter((candidate) => candidate.kind === kind);
  const matching = formsOfKind.filter((candidate) => candidate.form === form);
  const bits = (matching.length > 0 ? matching : formsOfKind).reduce(
    (mask, candidate) => mask | (BigInt(scopes) << BigInt(2 * candidate.number)),
    0n,
  );
  masks.some |= bits;
  if (peerPorts.length + localPorts.length === 0) masks.all |= bits;
  else masks.ports.push({ bits, peer: peerPorts, local: localPorts });
}
