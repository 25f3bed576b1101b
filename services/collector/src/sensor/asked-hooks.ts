import { rmSync } from 'node:fs';
import { BpfLink, type BpfMap } from '@ringfence/libbpf-ts';
import type { Want } from '@ringfence/schema';
import { SensorError } from '../errors.ts';
import { isPinned, linkPath } from './pins.ts';

/** Programs on what happens all the time, by the kinds that they tell of: each is in place only while somebody asks for one of these. */
export const ASKED_HOOKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['dup_exit', ['redirect']],
  ['dup2_exit', ['redirect']],
  ['dup3_exit', ['redirect']],
  ['flow_state', ['flow', 'packet']],
  ['mmap_exit', ['memory']],
  ['mprotect_exit', ['memory']],
  ['packet_arrives', ['datagram', 'packet']],
  ['packet_leaves', ['datagram', 'packet']],
  ['sendmsg_exit', ['datagram']],
  ['sendto_exit', ['datagram']],
  ['signal_deliver', ['fault']],
  ['socket_release', ['datagram', 'packet']],
]);

/** A hook that was left a moment ago may be in the kernel's way still: so often, ms apart, it is tried again. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 20;

export interface AskedHooksPlace {
  readonly pinPath: string;
  /** rf_own_links */
  readonly ownLinks: BpfMap;
  /** hooks that can't be attached, with the reason */
  readonly missing: Map<string, string>;
  /** Attaches a program and pins its link. Throws SensorError. */
  readonly attach: (name: string) => BpfLink;
}

/** Puts hooks in place, and leaves them, as what is asked for changes. To go over without a gap, `add` what is wanted, let it be in force, then `keep` it. */
export class AskedHooks {
  readonly #place: AskedHooksPlace;
  /** links that were made here; others are those of an earlier agent, which the pins hold */
  readonly #links = new Map<string, BpfLink>();
  #kinds: ReadonlySet<string> | null = null;
  #begun: boolean;

  /** @param begun the sensor is in place already */
  constructor(place: AskedHooksPlace, begun: boolean) {
    this.#place = place;
    this.#begun = begun;
  }

  /** Attaches what is asked for; from here on `add` and `keep` do so at once. */
  begin(): void {
    this.#begun = true;
    this.#attach();
  }

  /** @param wants null: everything. Returns those that can't be attached. */
  add(wants: readonly Want[] | null): readonly string[] {
    this.#kinds = wants && new Set(wants.map(({ kind }) => kind));
    return this.#begun ? this.#attach() : [];
  }

  /** Leaves all others. */
  keep(): void {
    if (!this.#begun) return;
    for (const [name, kinds] of ASKED_HOOKS) if (!this.#isAsked(kinds) && this.#isAttached(name)) this.#leave(name);
  }

  #isAsked(kinds: readonly string[]): boolean {
    return kinds.some((kind) => this.#kinds?.has(kind) ?? true);
  }

  #isAttached(name: string): boolean {
    return isPinned(linkPath(this.#place.pinPath, name));
  }

  #attach(): readonly string[] {
    const failed: string[] = [];
    for (const [name, kinds] of ASKED_HOOKS) {
      if (!this.#isAsked(kinds) || this.#isAttached(name) || this.#place.missing.has(name)) continue;
      try {
        this.#links.set(name, this.#attachPatiently(name));
      } catch (error) {
        if (!(error instanceof SensorError)) throw error;
        this.#place.missing.set(name, error.message);
        failed.push(error.message);
      }
    }
    return failed;
  }

  #attachPatiently(name: string): BpfLink {
    for (let attempt = 1; ; attempt++)
      try {
        return this.#place.attach(name);
      } catch (error) {
        if (!(error instanceof SensorError) || attempt === ATTEMPTS || !isInTheWay(error.cause)) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ATTEMPT_MS);
      }
  }

  /** It stops being one of the sensor's own links first: a start after a crash must not take it for one that somebody has removed. The pin goes last, which the kernel doesn't make anybody wait for. */
  #leave(name: string): void {
    const path = linkPath(this.#place.pinPath, name);
    using link = this.#links.get(name) ?? BpfLink.openPinned(path);
    this.#links.delete(name);
    this.#place.ownLinks.delete(link.id);
    link[Symbol.dispose]();
    rmSync(path);
  }
}

const isInTheWay = (cause: unknown): boolean => (cause as { readonly errnoName?: string }).errnoName === 'EEXIST';
