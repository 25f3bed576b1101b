/** A store in a folder of its own, processes that are read, and the shortest way to collect something. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigningKey, type SigningKey } from '@ringfence/wire';
import type { ActionOutcome, Plan } from '../../src/action.ts';
import type { Collection, EvidenceItem } from '../../src/collect/chain.ts';
import { type CollectLimits, collectKind } from '../../src/collect/collect.ts';
import { EvidenceStore } from '../../src/collect/store.ts';
import type { FoundProcess } from '../../src/processes/protected.ts';

/** Finds a process by /proc, whose start times are in hundredths of a second. */
export function findProcess(pid: number): FoundProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const start = BigInt(fields[19] as string) * 10_000_000n;
    return { tgid: pid, start, parentTgid: Number(fields[1]), executable: readlinkSync(`/proc/${pid}/exe`) };
  } catch {
    return null;
  }
}

export interface LabOptions {
  readonly maxBytes?: number;
  readonly limits?: CollectLimits;
  readonly rules?: string;
  readonly isProtected?: (process: FoundProcess) => string | null;
}

export interface Collected {
  readonly outcome: ActionOutcome;
  readonly collection: Collection;
}

export class Lab implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'rf-collect-'));
  readonly evidence: string = join(this.directory, 'evidence');
  readonly key: SigningKey = createSigningKey();
  readonly store: EvidenceStore;
  readonly kind: ReturnType<typeof collectKind>;
  #commands = 0;

  constructor(options: LabOptions = {}) {
    const { maxBytes = 2 ** 40, limits = {}, rules = '', isProtected = () => null } = options;
    this.store = new EvidenceStore({ directory: this.evidence, key: this.key, maxBytes });
    const orderOf = (command: string) => ({ who: 'responder-1', why: `a test of ${command}` });
    this.kind = collectKind({ store: this.store, find: findProcess, isProtected, orderOf, rules, limits });
  }

  plan(parameters: Readonly<Record<string, string>>): ReturnType<Lab['kind']['plan']> {
    const id = `command-${++this.#commands}`;
    return this.kind.plan(this.kind.parameters.parse(parameters), { id, until: 0 });
  }

  async apply(plan: Plan<never, never> | Awaited<ReturnType<Lab['plan']>>, signal?: AbortSignal): Promise<Collected> {
    const outcome = await this.kind.apply(plan as never, signal ?? new AbortController().signal);
    return { outcome, collection: this.lastCollection() };
  }

  async collect(parameters: Readonly<Record<string, string>>): Promise<Collected> {
    return await this.apply(await this.plan(parameters));
  }

  lastCollection(): Collection {
    const { sequence } = this.store.head;
    const name = `${String(sequence).padStart(12, '0')}.json`;
    return JSON.parse(readFileSync(join(this.evidence, 'chain', name), 'utf8')).collection as Collection;
  }

  contentOf(item: EvidenceItem | undefined): Buffer {
    return readFileSync(join(this.evidence, 'content', item?.sha256 ?? 'nothing'));
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    rmSync(this.directory, { recursive: true });
  }
}

/** A process that is read, which prints a line when it is ready. */
export class Victim implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly pid: number;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid as number;
  }

  static async start(
    command: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Victim> {
    const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout as NodeJS.EventEmitter, 'data');
    return new Victim(child);
  }

  /** The parameters that name this process */
  get named(): { readonly pid: string; readonly start: string } {
    return { pid: String(this.pid), start: String(findProcess(this.pid)?.start) };
  }

  get state(): string {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] as string;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
