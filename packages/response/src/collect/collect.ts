import { closeSync, constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { ifReadable, pidfdOpen, pidfdSignal, SystemCallError } from '@ringfence/host-kit';
import { z } from 'zod';
import type { ActionKind, ActionOutcome, ActionRequest, Plan } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import type { FoundProcess } from '../processes/protected.ts';
import type { ChainHead, Collection } from './chain.ts';
import { Freeze, isStopped, Marker } from './freeze.ts';
import { type CollectParameters, collectParameters } from './parameters.ts';
import { type ReadResult, readInProcess } from './reader-process.ts';
import type { EvidenceStore, OpenCollection } from './store.ts';

const { SIGKILL, SIGCONT } = os.signals;
const { ESRCH } = os.errno;
/** Reading processes that hang in the kernel: with more, nothing new is begun. */
const ABANDONED_MAX = 4;
const FACT_MAX = 512;

export interface CollectLimits {
  /** Bytes of one collection. @default 4 GiB */
  readonly bytes?: number;
  /** @default 300 */
  readonly seconds?: number;
  /** CPU time of the reading process. @default 120 */
  readonly cpuSeconds?: number;
  /** Seconds for which a process is stopped at most. @default 30 */
  readonly freezeSeconds?: number;
  /** ms without progress after which the reading process is killed. @default 30000 */
  readonly stallMs?: number;
}

export interface CollectOptions {
  readonly store: EvidenceStore;
  /** Returns the process with this pid, or null when there is none. Throws if that is not known. */
  readonly find: (pid: number) => FoundProcess | null;
  /** Returns why a process must never be stopped or killed, or null. */
  readonly isProtected: (process: FoundProcess) => string | null;
  /** Returns who has ordered a command, and why, for the manifest. */
  readonly orderOf: (command: string) => { readonly who: string; readonly why: string };
  /** Path of a file of YARA rules for what is collected. @default '': none */
  readonly rules?: string;
  readonly limits?: CollectLimits;
}

interface CollectWork {
  readonly id: string;
  readonly parameters: CollectParameters;
}

interface CollectInverse {
  /** Id of the command */
  readonly command: string;
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: string;
}

const inverseSchema: z.ZodType<CollectInverse> = z.strictObject({
  command: z.string().max(128),
  pid: z.int().min(1),
  start: z.string().regex(/^\d{1,19}$/),
});

/** Collects evidence into the store. It changes nothing but a process that it stops for the time of the reading. */
export function collectKind(
  options: CollectOptions,
): ActionKind<CollectParameters, CollectWork, CollectInverse> & { readonly abandoned: number } {
  const collector = new Collector(options);
  return {
    name: 'collect',
    parameters: collectParameters,
    inverse: inverseSchema,
    plan: (parameters, request) => collector.plan(parameters, request),
    apply: ({ work, inverse }, signal) => collector.apply(work, inverse, signal),
    undo: (inverse) => collector.undo(inverse),
    /** Reading processes that hang in the kernel */
    get abandoned() {
      return collector.abandoned;
    },
  };
}

class Collector {
  readonly #options: CollectOptions;
  readonly #limits: Required<CollectLimits>;
  abandoned = 0;

  constructor(options: CollectOptions) {
    this.#options = options;
    const defaults = { bytes: 4 * 2 ** 30, seconds: 300, cpuSeconds: 120, freezeSeconds: 30, stallMs: 30_000 };
    this.#limits = { ...defaults, ...options.limits };
  }

  async plan(parameters: CollectParameters, { id }: ActionRequest): Promise<Plan<CollectWork, CollectInverse>> {
    using target = this.#openTarget(parameters);
    const freezes = parameters.what === 'memory' && parameters.freeze === true;
    const wasStopped = parameters.pid !== undefined && isStopped(parameters.pid);
    if (freezes) this.#checkFreezable(parameters.pid);
    const { store } = this.#options;
    const result = await this.#read('plan', parameters, { directory: '', maxBytes: this.#limits.bytes }, target);
    this.#checkRefused(result);
    const { plan } = result;
    if (plan === null) throw new ActionRefusedError('not-possible', `the source can't be read: ${result.killed}`);
    const room = Math.min(store.freeBytes, this.#limits.bytes, parameters.bytes ?? Number.POSITIVE_INFINITY);
    if (plan.bytes > room && parameters.bytes === undefined)
      throw new ActionRefusedError(
        'too-large',
        `about ${plan.bytes} bytes, and the store and its limits have room for ${room}: give \`bytes\` to collect a part`,
      );
    const stops = freezes && !wasStopped;
    return {
      targets: [target === null ? '' : `process ${target.pid} ${target.executable}`, ...plan.targets].filter(Boolean),
      radius: { processes: stops ? 1 : 0, files: plan.files, bytes: plan.bytes },
      spared: freezes && wasStopped ? ['the process is stopped already, and stays so'] : [],
      work: { id, parameters },
      inverse: stops && target !== null ? { command: id, pid: target.pid, start: String(target.start) } : null,
    };
  }

  async apply(work: CollectWork, inverse: CollectInverse | null, signal: AbortSignal): Promise<ActionOutcome> {
    const { id, parameters } = work;
    using target = this.#openTarget(parameters);
    if (inverse !== null) this.#checkFreezable(parameters.pid);
    if (inverse !== null && target !== null && isStopped(target.pid))
      throw new ActionRefusedError('not-the-target', 'the process was stopped since the plan was made: plan again');
    const freeze = target === null ? null : new Freeze(target.pidfd, new Marker(this.#options.store.directory, id));
    const limit = Math.min(this.#limits.bytes, parameters.bytes ?? Number.POSITIVE_INFINITY);
    const open = this.#options.store.begin(limit);
    const began = Date.now() * 1000;
    const notes: string[] = [];
    let isCommitted = false;
    try {
      if (inverse !== null && freeze !== null && !(await freeze.stop(inverse.pid)))
        notes.push('a thread of the process did not stop: its memory may have changed while it was read');
      const isKill = parameters.what === 'memory' && parameters.afterwards === 'kill';
      const release = (): void => freeze?.release(isKill ? SIGKILL : SIGCONT);
      const result = await this.#read('collect', parameters, open, target, { signal, onCopied: release });
      release();
      if (result.items.length === 0) this.#checkRefused(result);
      if (target !== null && !isAlive(target.pidfd)) notes.push('the process ended while it was read');
      isCommitted = true;
      const collection = this.#collectionOf(work, result, { began, notes, frozen: freeze?.micros ?? 0 });
      return this.#outcomeOf(this.#options.store.commit(open, collection), collection);
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === ESRCH) return gone();
      throw error;
    } finally {
      releaseQuietly(freeze);
      if (!isCommitted) this.#options.store.drop(open);
    }
  }

  /** Lets a process go on that an agent had stopped when it was killed. */
  async undo({ command, pid, start }: CollectInverse): Promise<ActionOutcome> {
    const marker = new Marker(this.#options.store.directory, command);
    if (!marker.isSet) return gone();
    let pidfd: number | null = null;
    try {
      pidfd = pidfdOpen(pid);
      const isTarget = this.#options.find(pid)?.start === BigInt(start);
      if (isTarget) pidfdSignal(pidfd, SIGCONT);
      marker.clear();
      return isTarget ? { outcome: 'executed', reason: '', facts: { resumed: String(pid) } } : gone();
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.errno !== ESRCH) throw error;
      marker.clear();
      return gone();
    } finally {
      if (pidfd !== null) closeSync(pidfd);
    }
  }

  #checkFreezable(pid: number | undefined): void {
    const found = pid === undefined ? null : this.#options.find(pid);
    if (found === null) throw new ActionRefusedError('not-the-target', 'the process has ended');
    const reason = found.tgid === process.pid ? 'the agent' : this.#options.isProtected(found);
    if (reason !== null) throw new ActionRefusedError('protected', `the process must not be stopped: ${reason}`);
  }

  /** Opens the process and checks that it is the one of the command: what is opened stays bound to it. */
  #openTarget({ pid, start }: CollectParameters): Target | null {
    if (pid === undefined) return null;
    let pidfd: number | null = null;
    let folder: number | null = null;
    try {
      pidfd = pidfdOpen(pid);
      folder = ifReadable(() => openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY));
      const found = this.#options.find(pid);
      // Alive after the check: no other process has had the pid since it was opened.
      if (found?.start !== BigInt(start ?? -1) || folder === null || !isAlive(pidfd))
        throw new ActionRefusedError('not-the-target', `process ${pid} is not the one that started at ${start} ns`);
      return new Target(found, pidfd, folder);
    } catch (error) {
      for (const fd of [pidfd, folder]) if (fd !== null) closeSync(fd);
      if (error instanceof SystemCallError && error.errno === ESRCH)
        throw new ActionRefusedError('not-the-target', `process ${pid} has ended`, { cause: error });
      throw error;
    }
  }

  async #read(
    mode: 'plan' | 'collect',
    parameters: CollectParameters,
    { directory, maxBytes }: OpenCollection,
    target: Target | null,
    { signal = new AbortController().signal, onCopied = () => {} } = {},
  ): Promise<ReadResult> {
    if (this.abandoned >= ABANDONED_MAX)
      throw new ActionRefusedError(
        'not-possible',
        `${this.abandoned} earlier readings hang in the kernel: end what they wait for, such as a dead network mount`,
      );
    const { seconds, cpuSeconds, freezeSeconds, stallMs } = this.#limits;
    // The seconds of a capture are its purpose, not its limit.
    const wanted = parameters.what === 'packets' ? parameters.seconds + 1 : (parameters.seconds ?? seconds);
    const limits = { bytes: maxBytes, seconds: Math.min(seconds, wanted), cpuSeconds, freezeSeconds };
    const { rules = '' } = this.#options;
    const request = { mode, parameters, directory, limits, hasTarget: target !== null, rules, parent: process.pid };
    const result = await readInProcess({ request, target: target?.folder ?? null, stallMs, signal, onCopied });
    if (result.isAbandoned) this.abandoned++;
    return result;
  }

  #checkRefused({ refused }: ReadResult): void {
    if (refused !== null) throw new ActionRefusedError(refused.reason, refused.message);
  }

  #collectionOf(
    { id, parameters }: CollectWork,
    { items, notes, cut, killed, refused }: ReadResult,
    made: { readonly began: number; readonly notes: readonly string[]; readonly frozen: number },
  ): Collection {
    const { who, why } = this.#options.orderOf(id);
    const failed = killed === '' ? (refused?.message ?? '') : killed;
    const end = failed !== '' ? 'killed' : cut !== '' ? 'cut' : 'complete';
    return {
      ...{ command: id, who, why, parameters: textsOf(parameters), began: made.began, ended: Date.now() * 1000 },
      ...{ end, reason: (failed === '' ? cut : failed).slice(0, 4096), frozen: made.frozen, items: [...items] },
      notes: [...made.notes, ...notes].slice(0, 256),
    };
  }

  #outcomeOf({ sequence, sha256 }: ChainHead, { items, end, reason, frozen }: Collection): ActionOutcome {
    const matches = [...new Set(items.flatMap((item) => item.matches.map(({ rule }) => rule)))];
    const bytes = items.reduce((sum, { size }) => sum + size, 0);
    const facts = {
      ...{ entry: String(sequence), sha256, items: String(items.length), bytes: String(bytes), end },
      ...(end === 'cut' ? { cut: reason } : {}),
      ...(frozen > 0 ? { frozenMicros: String(frozen) } : {}),
      ...(matches.length > 0 ? { matches: matches.join(' ').slice(0, FACT_MAX) } : {}),
      ...(this.abandoned > 0 ? { abandoned: String(this.abandoned) } : {}),
    };
    if (end !== 'killed') return { outcome: 'executed', reason: '', facts };
    return { outcome: 'failed', reason: `the reading ended before it was complete: ${reason}`.slice(0, 1024), facts };
  }
}

const gone = (): ActionOutcome => ({ outcome: 'gone', reason: '', facts: {} });

/** A process that is read, by descriptors that stay bound to it. */
class Target implements Disposable {
  readonly pid: number;
  readonly start: bigint;
  readonly executable: string;
  readonly pidfd: number;
  readonly folder: number;

  constructor({ tgid, start, executable }: FoundProcess, pidfd: number, folder: number) {
    this.pid = tgid;
    this.start = start;
    this.executable = executable;
    this.pidfd = pidfd;
    this.folder = folder;
  }

  [Symbol.dispose](): void {
    closeSync(this.pidfd);
    closeSync(this.folder);
  }
}

function isAlive(pidfd: number): boolean {
  try {
    pidfdSignal(pidfd, 0);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ESRCH) return false;
    throw error;
  }
}

/** Lets a stopped process go on, whatever has failed: an error of it must not hide the first one. */
function releaseQuietly(freeze: Freeze | null): void {
  try {
    freeze?.release();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
  }
}

const textsOf = (parameters: CollectParameters): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',').slice(0, 16_384) : String(value)]],
    ),
  );
