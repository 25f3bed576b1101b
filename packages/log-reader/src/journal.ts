import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type Backoff, backoffMs, type Log, type Tallies } from '@ringfence/base';
import { asObject, asText, type Json } from '@ringfence/host-kit';
import { type LogLine, type LogSource, MAX_LINE } from './line.ts';
import { LineSplitter } from './splitter.ts';

/** Of an entry as JSON, where every byte of a message that is no text takes four. */
const MAX_ENTRY = 256 * 1024;
/** Entries that wait to be taken; then the pipe fills and journalctl waits. */
const MAX_WAITING = 1024;
const RESTART: Backoff = { firstMs: 1000, maxMs: 60_000, jitter: false };
/** auth, cron, authpriv */
const FACILITIES = [4, 9, 10];
const FIELDS = 'MESSAGE,SYSLOG_IDENTIFIER,_PID,_COMM,_SYSTEMD_UNIT,_BOOT_ID,_HOSTNAME';
/** include/uapi/linux/capability.h */
const DAC_READ_SEARCH = 1n << 2n;
const SETPCAP = 1n << 8n;
const SOCKETS = ['/run/systemd/journal/socket', '/run/systemd/journal/stdout'];

export interface JournalSourceOptions {
  readonly bootId: string;
  readonly log: Log;
  /** counted: `journal_restarts`, `journal_malformed`, `journal_too_long` */
  readonly events: Tallies;
  /** called when an entry has come, and when journalctl has ended */
  readonly wake: () => void;
  /** @default journalctl */
  readonly command?: string;
}

/** journald runs here. */
export const hasJournal = (): boolean => SOCKETS.some((path) => existsSync(path));

/** What the journal has of authentication and scheduled jobs, followed by a journalctl that is started again when it ends. */
export class JournalSource implements LogSource {
  readonly name = 'journald';
  readonly paths: readonly string[] = [];
  /** of the last entry handed out, or `@` and the second from which on entries are wanted */
  cursor: string;
  readonly #options: JournalSourceOptions;
  readonly #boot: string;
  #child: ChildProcess | undefined;
  #splitter = new LineSplitter(0, MAX_ENTRY);
  #waiting: Json[] = [];
  /** Restarts since the last entry. */
  #restarts = 0;
  #restartAt = 0;
  #closed = false;

  /** `cursor`: '' at the very first start */
  constructor(options: JournalSourceOptions, cursor: string) {
    this.#options = options;
    this.#boot = options.bootId.replaceAll('-', '');
    this.cursor = cursor === '' ? `@${Math.floor(Date.now() / 1000)}` : cursor;
    this.#start();
  }

  next(): LogLine | null {
    for (;;) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return null;
      if (this.#waiting.length === 0) this.#child?.stdout?.resume();
      const line = lineOf(entry, this.#boot);
      this.cursor = asText(entry['__CURSOR']);
      if (line !== null) return line;
      this.#options.events.add('journal_malformed');
    }
  }

  get settled(): boolean {
    return this.#child !== undefined;
  }

  scan(): void {
    if (this.#child === undefined && performance.now() >= this.#restartAt) this.#start();
  }

  close(): void {
    this.#closed = true;
    this.#child?.kill('SIGTERM');
  }

  #start(): void {
    const from = this.cursor.startsWith('@') ? `--since=${this.cursor}` : `--after-cursor=${this.cursor}`;
    const matches = FACILITIES.flatMap((facility, i) => [...(i > 0 ? ['+'] : []), `SYSLOG_FACILITY=${facility}`]);
    const args = ['--output=json', '--follow', '--lines=all', '--all', '--quiet', `--output-fields=${FIELDS}`, from];
    const [program = '', ...before] = [...withoutPrivileges(), this.#options.command ?? 'journalctl'];
    const child = spawn(program, [...before, ...args, ...matches], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#splitter = new LineSplitter(0, MAX_ENTRY);
    // Entries that were read and not handed out come again.
    this.#waiting = [];
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => {
      complaint = `${complaint}${text.toString('latin1')}`.slice(0, 500);
    });
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    let error: Error | undefined;
    child.on('error', (cause) => {
      error = cause;
    });
    child.on('close', (code, signal) => this.#ended({ code, signal, complaint, err: error }));
  }

  #read(chunk: Buffer): void {
    this.#splitter.put(chunk);
    for (let line = this.#splitter.next(); line !== null; line = this.#splitter.next()) {
      if (line.length > MAX_ENTRY) this.#options.events.add('journal_too_long');
      else this.#waiting.push(parse(line.bytes));
    }
    if (this.#waiting.length === 0) return;
    this.#restarts = 0;
    if (this.#waiting.length >= MAX_WAITING) this.#child?.stdout?.pause();
    this.#options.wake();
  }

  #ended(facts: object): void {
    this.#child = undefined;
    if (this.#closed) return;
    this.#options.events.add('journal_restarts');
    if (this.#restarts === 0) this.#options.log.warn(facts, 'journalctl has ended: it is started again');
    this.#restartAt = performance.now() + backoffMs(this.#restarts++, RESTART);
    this.#options.wake();
  }
}

/**
 * It reads what anybody may write: of what setpriv has, which is this process's own where it runs as root and otherwise what is ambient, it keeps the one
 * capability that lets it read the journal.
 */
function withoutPrivileges(): string[] {
  const held = capabilities(process.geteuid?.() === 0 ? 'CapEff' : 'CapAmb');
  if (held === 0n) return [];
  const kept = (held & DAC_READ_SEARCH) === 0n ? '-all' : '-all,+dac_read_search';
  // What root executes has all that is in the bounding set.
  const bounded = (held & SETPCAP) === 0n ? [] : [`--bounding-set=${kept}`];
  return ['setpriv', ...bounded, `--inh-caps=${kept}`, `--ambient-caps=${kept}`, '--'];
}

function capabilities(name: 'CapEff' | 'CapAmb'): bigint {
  const status = readFileSync('/proc/self/status', 'latin1');
  return BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1] ?? '0'}`);
}

function parse(bytes: Buffer): Json {
  try {
    return asObject(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** null: no entry as journald makes them. */
function lineOf(entry: Json, boot: string): LogLine | null {
  const message = bytesOf(entry['MESSAGE']);
  const micros = Number(asText(entry['__REALTIME_TIMESTAMP'], 20));
  if (message === null || !Number.isSafeInteger(micros) || micros <= 0) return null;
  const pid = Number(asText(entry['_PID'], 10));
  // A number of an earlier boot means another process by now.
  const ours = asText(entry['_BOOT_ID']) === boot && Number.isSafeInteger(pid);
  const program = asText(entry['SYSLOG_IDENTIFIER'], 128) || asText(entry['_COMM'], 128);
  return {
    bytes: message.subarray(0, MAX_LINE),
    length: message.length,
    origin: 'journald',
    path: asText(entry['_SYSTEMD_UNIT'], 256),
    offset: -1,
    writtenAt: micros,
    sender: { program, pid: ours ? pid : 0 },
  };
}

/** What is no UTF-8 comes as an array of bytes. */
function bytesOf(value: unknown): Buffer | null {
  if (typeof value === 'string') return Buffer.from(value);
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte)) ? Buffer.from(value as number[]) : null;
}
