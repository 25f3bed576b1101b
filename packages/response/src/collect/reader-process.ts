import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EvidenceItem } from './chain.ts';
import { MESSAGES_FD, type ReadMessage, type ReadRequest } from './protocol.ts';

const WORKER = fileURLToPath(new URL('./collect-worker.ts', import.meta.url));
const COMPLAINT_MAX = 2000;
/** A message of a million entries would not fit into a manifest either. */
const MESSAGE_MAX = 4 << 20;
const ITEMS_MAX = 20_000;
/** After SIGKILL a process ends within this time, or hangs in the kernel. */
const END_MS = 2000;

export interface ReadResult {
  readonly items: readonly EvidenceItem[];
  readonly notes: readonly string[];
  readonly plan: Extract<ReadMessage, { type: 'plan' }> | null;
  readonly refused: Extract<ReadMessage, { type: 'refused' }> | null;
  /** The limit that ended the reading; empty: none */
  readonly cut: string;
  /** Why the process had to be killed, or how it failed; empty: it ended by itself */
  readonly killed: string;
  /** Whether the process was still there after it was killed: it hangs in the kernel */
  readonly isAbandoned: boolean;
}

export interface ReadOptions {
  readonly request: ReadRequest;
  /** Descriptor of the folder of the process that is read, or null */
  readonly target: number | null;
  /** ms without a sign of life after which the process is killed */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  /** Called when everything was copied from the process that is read */
  readonly onCopied: () => void;
}

/** Reads evidence in a process of its own. Resolves by the deadline of the request and `stallMs`, whatever it reads. */
export async function readInProcess(options: ReadOptions): Promise<ReadResult> {
  return await new ReaderProcess(options).result;
}

class ReaderProcess {
  readonly #options: ReadOptions;
  readonly #child: ChildProcess;
  readonly #items: EvidenceItem[] = [];
  readonly #notes: string[] = [];
  readonly #done = Promise.withResolvers<ReadResult>();
  readonly #deadline: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#kill('its deadline has passed');
  #watchdog: NodeJS.Timeout;
  #plan: ReadResult['plan'] = null;
  #refused: ReadResult['refused'] = null;
  #cut: string | null = null;
  #killed = '';
  #place = 'the begin';
  #complaint = '';
  #rest = '';
  #isSettled = false;

  constructor(options: ReadOptions) {
    const { request, target, stallMs, signal } = options;
    this.#options = options;
    const stdio = ['pipe', 'ignore', 'pipe', 'pipe', target ?? 'ignore'] as const;
    // A group of its own, so that a program that it has started ends with it.
    this.#child = spawn(process.execPath, [...process.execArgv, WORKER], { stdio: [...stdio], detached: true });
    this.#child.on('error', (error) => this.#settle(`it could not be started: ${error.message}`));
    this.#child.on('close', (code, by) => this.#settle(by === null && code === 0 ? '' : `it ended with ${by ?? code}`));
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.end(JSON.stringify(request));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = `${this.#complaint}${text}`.slice(0, COMPLAINT_MAX);
    });
    const messages = this.#child.stdio[MESSAGES_FD] as NodeJS.ReadableStream;
    messages.setEncoding('utf8');
    messages.on('data', (text: string) => this.#take(text));
    this.#watchdog = setTimeout(() => this.#stall(), stallMs);
    this.#deadline = setTimeout(() => this.#kill('its time is over'), request.limits.seconds * 1000 + stallMs);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  get result(): Promise<ReadResult> {
    return this.#done.promise;
  }

  #take(text: string): void {
    this.#watchdog.refresh();
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MESSAGE_MAX) this.#kill('a message of it is too long');
    for (const line of lines) this.#handle(JSON.parse(line) as ReadMessage);
  }

  #handle(message: ReadMessage): void {
    if (message.type === 'at') this.#place = message.place;
    else if (message.type === 'copied') this.#options.onCopied();
    else if (message.type === 'item') this.#items.push(message.item);
    else if (message.type === 'matches') this.#addMatches(message);
    else if (message.type === 'note') this.#notes.push(message.note);
    else if (message.type === 'plan') this.#plan = message;
    else if (message.type === 'refused') this.#refused = message;
    else this.#cut = message.cut;
    if (this.#items.length > ITEMS_MAX) this.#kill('there are too many items');
  }

  #addMatches({ sha256, matches, notes }: Extract<ReadMessage, { type: 'matches' }>): void {
    const at = this.#items.findLastIndex((item) => item.sha256 === sha256);
    const item = this.#items[at];
    if (item !== undefined) this.#items[at] = { ...item, matches, notes: [...item.notes, ...notes].slice(0, 64) };
  }

  #stall(): void {
    this.#kill(`nothing came for ${this.#options.stallMs} ms while it read ${this.#place}`);
  }

  #kill(why: string): void {
    if (this.#killed !== '' || this.#isSettled) return;
    this.#killed = why;
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    setTimeout(() => this.#settle('', true), END_MS);
  }

  #settle(failure: string, isAbandoned = false): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#watchdog);
    clearTimeout(this.#deadline);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    if (isAbandoned) this.#abandon();
    // The kernel's limit of CPU time ends the process by SIGKILL.
    const unfinished = this.#cut === null ? `${failure} while it read ${this.#place} ${this.#complaint}`.trim() : '';
    this.#done.resolve({
      items: this.#items,
      notes: this.#notes,
      plan: this.#plan,
      refused: this.#refused,
      cut: this.#cut ?? '',
      killed: this.#killed === '' ? unfinished : this.#killed,
      isAbandoned,
    });
  }

  /** Lets the process be, so that it neither keeps the agent alive nor is heard again. */
  #abandon(): void {
    this.#child.unref();
    for (const stream of this.#child.stdio) (stream as { destroy?: () => void } | null)?.destroy?.();
  }
}
