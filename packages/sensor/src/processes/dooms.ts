import { bootMicros } from '@ringfence/host-kit';
import type { BpfLink, BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { DOOMED, DOOMED_CALL } from '../programs.ts';

/** Which processes a doom has: those to which any of its parts applies, and all that descend from one of them. */
export interface DoomSet {
  /** A process, which may have ended, and its descendants. Start: ns, CLOCK_BOOTTIME. */
  readonly root?: { readonly tgid: number; readonly start: bigint };
  /** Id of a cgroup in the v2 hierarchy; those below it count too. */
  readonly cgroup?: bigint;
  /** Session id (setsid) in the first pid namespace. */
  readonly session?: number;
  /** Session id of the audit system. */
  readonly loginSession?: number;
}

/** A living process of a doom. */
export interface Victim {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: bigint;
  readonly parentTgid: number;
  /** Whether a signal has stopped it. */
  readonly isStopped: boolean;
}

/** As LINEAGE_MULTIPLIER in bpf/lib/lineage.h. */
const MULTIPLIER = 0x9e3779b97f4a7c15n;
/** A tree that grows faster than it is marked inherits its marks. */
const PASSES_MAX = 100;

/** The dooms in force: bpf/doom.bpf.h. */
export class Dooms {
  readonly #object: BpfObject;
  readonly #map: BpfMap<Uint8Array, Uint8Array>;
  readonly #spared: BpfMap<bigint, bigint>;
  readonly #slots: (Doom | undefined)[];
  readonly #waiting: (() => void)[] = [];
  #last = 0n;
  #striking = 0;
  #link: BpfLink | undefined;

  constructor(object: BpfObject) {
    this.#object = object;
    this.#map = object.map('rf_dooms') as unknown as BpfMap<Uint8Array, Uint8Array>;
    this.#spared = object.map('rf_spared') as unknown as BpfMap<bigint, bigint>;
    this.#slots = Array.from({ length: this.#map.info.maxEntries - 1 });
  }

  /** Resolves as soon as the kernel's table of dooms has a place, in the order of the calls. */
  async begin(set: DoomSet): Promise<Doom> {
    while (!this.#slots.includes(undefined)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const slot = this.#slots.indexOf(undefined);
    const { root, cgroup = 0n, session = 0, loginSession = 0 } = set;
    const value = Buffer.alloc(records.SIZEOF_DOOM);
    value.writeBigUInt64LE(this.#nextNumber(slot), records.DOOM_NUMBER);
    value.writeBigUInt64LE(root === undefined ? 0n : keyOf(root), records.DOOM_ROOT);
    value.writeBigUInt64LE(cgroup, records.DOOM_CGROUP);
    value.writeUInt32LE(session, records.DOOM_SESSION);
    value.writeUInt32LE(loginSession, records.DOOM_LOGIN_SESSION);
    const doom = new Doom(value, {
      list: () => this.#list(value),
      spare: (key) => this.#spared.set(key, value.readBigUInt64LE(records.DOOM_NUMBER)),
      unspare: (keys) => this.#spared.deleteAll(keys),
      write: () => this.#write(1 + slot, value),
      attach: () => this.#attach(),
      detach: () => this.#detach(),
      free: () => {
        this.#write(1 + slot, Buffer.alloc(value.length));
        this.#slots[slot] = undefined;
        this.#waiting.shift()?.();
      },
    });
    this.#slots[slot] = doom;
    return doom;
  }

  /** Numbers follow the time since the boot, because the marks of an earlier agent are still in the kernel. */
  #nextNumber(slot: number): bigint {
    const count = BigInt(this.#slots.length);
    const now = BigInt(Math.trunc(bootMicros()));
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last * count + BigInt(slot);
  }

  #write(index: number, value: Uint8Array): void {
    this.#map.update(new Uint8Array(Uint32Array.of(index).buffer), value);
  }

  #list(value: Uint8Array): { victims: Victim[]; fresh: number } {
    this.#write(0, value);
    using link = this.#object.program(DOOMED).attachIterator();
    using iterator = link.iterate();
    return parseVictims(iterator.readAll());
  }

  #attach(): void {
    this.#link ??= this.#object.program(DOOMED_CALL).attach();
    this.#striking++;
  }

  #detach(): void {
    if (--this.#striking > 0) return;
    this.#link?.[Symbol.dispose]();
    this.#link = undefined;
  }
}

interface DoomDeps {
  readonly list: () => { victims: Victim[]; fresh: number };
  readonly spare: (key: bigint) => void;
  readonly unspare: (keys: readonly bigint[]) => void;
  readonly write: () => void;
  readonly attach: () => void;
  readonly detach: () => void;
  readonly free: () => void;
}

/** Processes that are to be killed or stopped. Until `strike` they are only marked. Dispose of it to end it. */
export class Doom implements Disposable {
  readonly #value: Buffer;
  readonly #deps: DoomDeps;
  readonly #spared: bigint[] = [];
  #isStriking = false;
  #isOver = false;

  constructor(value: Buffer, deps: DoomDeps) {
    this.#value = value;
    this.#deps = deps;
    deps.write();
  }

  /** Marks all processes of the set, and returns those that live. Their children inherit the mark from then on. */
  mark(): Victim[] {
    for (let pass = 1; ; pass++) {
      const { victims, fresh } = this.#deps.list();
      if (fresh === 0 || pass === PASSES_MAX) return victims;
    }
  }

  /** Leaves processes alone from now on, but not their descendants: a protected program must be no shield. */
  spare(processes: readonly Pick<Victim, 'tgid' | 'start'>[]): void {
    for (const process of processes) {
      const key = keyOf(process);
      this.#deps.spare(key);
      this.#spared.push(key);
    }
  }

  /** Sends the signal to each marked process at its next system call, which is not carried out if the signal kills. */
  strike(signal: number): void {
    this.#value.writeUInt32LE(signal, records.DOOM_SIGNAL);
    this.#deps.write();
    if (!this.#isStriking) this.#deps.attach();
    this.#isStriking = true;
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deps.unspare(this.#spared);
    this.#deps.free();
    if (this.#isStriking) this.#deps.detach();
  }
}

const keyOf = ({ tgid, start }: { readonly tgid: number; readonly start: bigint }): bigint =>
  BigInt.asUintN(64, start * MULTIPLIER) ^ BigInt(tgid);

function parseVictims(bytes: Uint8Array): { victims: Victim[]; fresh: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const victims: Victim[] = [];
  let fresh = 0;
  for (let at = 0; at + records.SIZEOF_VICTIM <= bytes.length; at += records.SIZEOF_VICTIM) {
    fresh += records.victimFresh(view, at);
    victims.push({
      tgid: records.victimTgid(view, at),
      start: view.getBigUint64(at + records.VICTIM_START, true),
      parentTgid: records.victimParentTgid(view, at),
      isStopped: records.victimStopped(view, at) !== 0,
    });
  }
  return { victims, fresh };
}
