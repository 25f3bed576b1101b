import { rmSync } from 'node:fs';
import { BpfLink, type BpfMap } from '@ringfence/libbpf-ts';
import type { Want } from '@ringfence/wire';
import { SensorError } from '../errors.ts';
import { isPinned, linkPath } from '../pins/paths.ts';
import { ON_DEMAND_HOOKS } from '../programs.ts';
import type { MissingHook } from './missing-hooks.ts';

/** A hook that was detached a moment ago may still exist in the kernel: attach it again up to this often. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 20;
/**
 * Errors that may pass: other programs occupy the hook, or a resource is exhausted. Others mean that there is no such
 * hook.
 */
const TEMPORARY = new Set(['E2BIG', 'EAGAIN', 'EBUSY', 'EEXIST', 'EINTR', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC']);
/** Time until the first retry. Doubles with each failure up to the maximum. */
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 300_000;

export interface OnDemandHooksDeps {
  readonly pinPath: string;
  /** rf_own_links */
  readonly ownLinks: Pick<BpfMap, 'delete'>;
  /** hooks that can't be attached, with the reason */
  readonly missing: Map<string, MissingHook>;
  /** Attaches a program and pins its link. Throws SensorError. */
  readonly attach: (name: string) => BpfLink;
}

/**
 * Attaches and detaches hooks as the interest changes. To change the interest without a gap, call `attachFor` with the
 * new one, put it into force, then call `detachUnwanted`. Also retries hooks that could not be attached.
 */
export class OnDemandHooks {
  readonly #deps: OnDemandHooksDeps;
  /** Links made by this agent. Pins hold the links of an earlier agent. */
  readonly #links = new Map<string, BpfLink>();
  /** Hooks that failed with a temporary error, with the time of the next retry. */
  readonly #retries = new Map<string, { readonly delayMs: number; readonly at: number }>();
  /** Wanted kinds; null stands for all. */
  #kinds: ReadonlySet<string> | null = null;
  #started: boolean;

  /** @param started true if the sensor is attached already */
  constructor(deps: OnDemandHooksDeps, started: boolean) {
    this.#deps = deps;
    this.#started = started;
  }

  /** Attaches the wanted hooks. Before this call, `attachFor` and `detachUnwanted` change nothing in the kernel. */
  start(): void {
    this.#started = true;
    this.#attachWanted();
  }

  /**
   * Attaches the hooks that these wants need. Returns the errors of those that can't be attached.
   * @param wants null stands for every event
   */
  attachFor(wants: readonly Want[] | null): readonly string[] {
    this.#kinds = wants && new Set(wants.map(({ kind }) => kind));
    return this.#started ? this.#attachWanted() : [];
  }

  /** Detaches the hooks that the wants of the last `attachFor` don't need. */
  detachUnwanted(): void {
    if (!this.#started) return;
    for (const [name, kinds] of ON_DEMAND_HOOKS) {
      if (this.#isWanted(kinds)) continue;
      if (this.#isAttached(name)) this.#detach(name);
      if (this.#retries.delete(name)) this.#deps.missing.delete(name);
    }
  }

  /**
   * Records that a hook, on-demand or not, could not be attached, and schedules a retry if the error may pass.
   * @param now ms, of the same clock as in `retryDue`
   */
  recordFailure(name: string, error: SensorError, now: number = performance.now()): void {
    this.#deps.missing.set(name, { reason: error.message, absent: error.absent });
    const delayMs = Math.min(RETRY_MAX_MS, 2 * (this.#retries.get(name)?.delayMs ?? RETRY_MS / 2));
    if (TEMPORARY.has(errnoOf(error) ?? '')) this.#retries.set(name, { delayMs, at: now + delayMs });
  }

  /** Missing hooks that will be retried. */
  get retrying(): readonly string[] {
    return [...this.#retries.keys()];
  }

  /**
   * Retries the hooks that are due. Returns those that are attached now.
   * @param now ms, of a monotonic clock
   */
  retryDue(now: number): readonly string[] {
    const due = [...this.#retries].filter(([, { at }]) => at <= now).map(([name]) => name);
    return due.filter((name) => this.#tryAttach(name, now, () => this.#deps.attach(name)) === undefined);
  }

  #isWanted(kinds: readonly string[]): boolean {
    return kinds.some((kind) => this.#kinds?.has(kind) ?? true);
  }

  #isAttached(name: string): boolean {
    return isPinned(linkPath(this.#deps.pinPath, name));
  }

  #attachWanted(): readonly string[] {
    const wanted = [...ON_DEMAND_HOOKS].filter(([name, kinds]) => this.#isWanted(kinds) && !this.#isAttached(name));
    const attachable = wanted.filter(([name]) => !this.#deps.missing.has(name));
    return attachable.flatMap(
      ([name]) => this.#tryAttach(name, performance.now(), () => this.#attachOnceFree(name)) ?? [],
    );
  }

  /** Returns the error message, or undefined on success. */
  #tryAttach(name: string, now: number, attach: () => BpfLink): string | undefined {
    try {
      this.#links.set(name, attach());
      if (this.#retries.delete(name)) this.#deps.missing.delete(name);
      return undefined;
    } catch (error) {
      if (!(error instanceof SensorError)) throw error;
      this.recordFailure(name, error, now);
      return error.message;
    }
  }

  /** Waits while the kernel still frees the previous link of the same hook. */
  #attachOnceFree(name: string): BpfLink {
    for (let attempt = 1; ; attempt++)
      try {
        return this.#deps.attach(name);
      } catch (error) {
        if (!(error instanceof SensorError) || attempt === ATTEMPTS || errnoOf(error) !== 'EEXIST') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ATTEMPT_MS);
      }
  }

  /**
   * Removes the link from rf_own_links first: after a crash, the next start must not report it as removed by an
   * attacker. The pin goes last, because the kernel then detaches the hook in the background instead of blocking the
   * caller.
   */
  #detach(name: string): void {
    const path = linkPath(this.#deps.pinPath, name);
    using link = this.#links.get(name) ?? BpfLink.openPinned(path);
    this.#links.delete(name);
    this.#deps.ownLinks.delete(link.id);
    link[Symbol.dispose]();
    rmSync(path);
  }
}

const errnoOf = ({ cause }: SensorError): string | undefined =>
  (cause as { readonly errnoName?: string } | undefined)?.errnoName;
