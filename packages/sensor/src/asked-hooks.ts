import { rmSync } from 'node:fs';
import { BpfLink, type BpfMap } from '@ringfence/libbpf-ts';
import type { Want } from '@ringfence/wire';
import { SensorError } from './errors.ts';
import type { MissingHook } from './missing-hooks.ts';
import { isPinned, linkPath } from './pins.ts';

/** Programs on what happens all the time, by the kinds that they tell of: each is in place only while somebody asks for one of these. */
export const ASKED_HOOKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['dup_exit', ['redirect']],
  ['dup2_exit', ['redirect']],
  ['dup3_exit', ['redirect']],
  ['fcntl_exit', ['redirect']],
  ['flow_state', ['flow', 'packet']],
  ['mmap_exit', ['memory']],
  ['mprotect_exit', ['memory']],
  ['packet_arrives', ['datagram', 'packet']],
  ['packet_leaves', ['datagram', 'packet']],
  ['sendmmsg_exit', ['datagram']],
  ['sendmsg_exit', ['datagram']],
  ['sendto_exit', ['datagram']],
  ['signal_deliver', ['fault']],
  ['socket_release', ['datagram', 'packet']],
]);

/** A hook that was left a moment ago may be in the kernel's way still: so often, ms apart, it is tried again. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 20;
/** What goes by: others hold the place, or there is no room. With any other error this kernel doesn't have the hook. */
const PASSING = new Set(['E2BIG', 'EAGAIN', 'EBUSY', 'EEXIST', 'EINTR', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC']);
/** ms after a failure until the next try; each later one waits twice as long, up to the last. */
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 300_000;

export interface AskedHooksPlace {
  readonly pinPath: string;
  /** rf_own_links */
  readonly ownLinks: BpfMap;
  /** hooks that can't be attached */
  readonly missing: Map<string, MissingHook>;
  /** Attaches a program and pins its link. Throws SensorError. */
  readonly attach: (name: string) => BpfLink;
}

/** Puts hooks in place, and leaves them, as what is asked for changes. To go over without a gap, `add` what is wanted, let it be in force, then `keep` it. */
export class AskedHooks {
  readonly #place: AskedHooksPlace;
  /** links that were made here; others are those of an earlier agent, which the pins hold */
  readonly #links = new Map<string, BpfLink>();
  /** hooks that couldn't be attached for a reason that goes by: when they are tried again */
  readonly #failed = new Map<string, { readonly waitMs: number; readonly at: number }>();
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
    for (const [name, kinds] of ASKED_HOOKS) {
      if (this.#isAsked(kinds)) continue;
      if (this.#isAttached(name)) this.#leave(name);
      if (this.#failed.delete(name)) this.#place.missing.delete(name);
    }
  }

  /** A hook, of these or another, couldn't be attached. @param now as of `retry` */
  failed(name: string, error: SensorError, now: number = performance.now()): void {
    this.#place.missing.set(name, { reason: error.message, absent: error.absent });
    const waitMs = Math.min(RETRY_MAX_MS, 2 * (this.#failed.get(name)?.waitMs ?? RETRY_MS / 2));
    if (PASSING.has(errnoOf(error) ?? '')) this.#failed.set(name, { waitMs, at: now + waitMs });
  }

  /** Hooks that are missing now, and are tried again. */
  get retried(): readonly string[] {
    return [...this.#failed.keys()];
  }

  /** Tries those again that couldn't be attached and are due. Returns those that are in place now. @param now ms, of any clock that doesn't jump */
  retry(now: number): readonly string[] {
    const due = [...this.#failed].filter(([, { at }]) => at <= now).map(([name]) => name);
    return due.filter((name) => this.#tryAttach(name, now, () => this.#place.attach(name)) === undefined);
  }

  #isAsked(kinds: readonly string[]): boolean {
    return kinds.some((kind) => this.#kinds?.has(kind) ?? true);
  }

  #isAttached(name: string): boolean {
    return isPinned(linkPath(this.#place.pinPath, name));
  }

  #attach(): readonly string[] {
    const wanted = [...ASKED_HOOKS].filter(([name, kinds]) => this.#isAsked(kinds) && !this.#isAttached(name));
    const open = wanted.filter(([name]) => !this.#place.missing.has(name));
    return open.flatMap(([name]) => this.#tryAttach(name, performance.now(), () => this.#attachPatiently(name)) ?? []);
  }

  /** Why it can't be; undefined: it is in place. */
  #tryAttach(name: string, now: number, attach: () => BpfLink): string | undefined {
    try {
      this.#links.set(name, attach());
      if (this.#failed.delete(name)) this.#place.missing.delete(name);
      return undefined;
    } catch (error) {
      if (!(error instanceof SensorError)) throw error;
      this.failed(name, error, now);
      return error.message;
    }
  }

  #attachPatiently(name: string): BpfLink {
    for (let attempt = 1; ; attempt++)
      try {
        return this.#place.attach(name);
      } catch (error) {
        if (!(error instanceof SensorError) || attempt === ATTEMPTS || errnoOf(error) !== 'EEXIST') throw error;
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

const errnoOf = ({ cause }: SensorError): string | undefined =>
  (cause as { readonly errnoName?: string } | undefined)?.errnoName;
