import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type Backoff, backoffMs, type Log, type Tallies } from '@ringfence/base';
import { asObject, asText, type Json, parseJson } from '@ringfence/host-kit';
import { LineSplitter } from './line-splitter.ts';
import { type LogLine, type LogSource, MAX_LINE } from './log-source.ts';

/** Bytes of an entry as JSON. A message that is not text takes four bytes for each of its bytes. */
const MAX_ENTRY = 256 * 1024;
/** Entries that wait to be taken. With more, the pipe fills up and journalctl blocks. */
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
  /** counts `journal_restarts`, `journal_malformed`, `journal_too_long` */
  readonly events: Tallies;
  /** called when entries have arrived, and when journalctl has ended */
  readonly wake: () => void;
  /** @default journalctl */
  readonly command?: string;
}

/** Whether journald runs on this host. */
export const hasJournal = (): boolean => SOCKETS.some((path) => existsSync(path));

/** Follows the journal's entries about authentication and cron through journalctl, which is restarted when it ends. */
export class JournalSource implements LogSource {
  readonly name = 'journald';
  readonly paths: readonly string[] = [];
  /** cursor of the last entry that was returned, or `@` and the Unix time from which entries are wanted */
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

  /** @param cursor '' at the very first start */
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

  /** Without a running journalctl, scans are needed to restart it. */
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
    const [program = '', ...before] = [...dropPrivileges(), this.#options.command ?? 'journalctl'];
    const child = spawn(program, [...before, ...args, ...matches], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#splitter = new LineSplitter(0, MAX_ENTRY);
    // Entries that were not returned yet are read again.
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
    child.on('close', (code, signal) => this.#onEnd({ code, signal, complaint, err: error }));
  }

  #read(chunk: Buffer): void {
    this.#splitter.put(chunk);
    for (let line = this.#splitter.next(); line !== null; line = this.#splitter.next()) {
      if (line.length > MAX_ENTRY) this.#options.events.add('journal_too_long');
      else this.#waiting.push(asObject(parseJson(line.bytes.toString('utf8'))));
    }
    if (this.#waiting.length === 0) return;
    this.#restarts = 0;
    if (this.#waiting.length >= MAX_WAITING) this.#child?.stdout?.pause();
    this.#options.wake();
  }

  #onEnd(facts: object): void {
    this.#child = undefined;
    if (this.#closed) return;
    this.#options.events.add('journal_restarts');
    if (this.#restarts === 0) this.#options.log.warn(facts, 'journalctl has ended: it will be restarted');
    this.#restartAt = performance.now() + backoffMs(this.#restarts++, RESTART);
    this.#options.wake();
  }
}

/**
 * Returns a setpriv command that leaves journalctl only the capability to read the journal, because it parses what any
 * user can write. Capabilities come from this process as root, and otherwise from its ambient set.
 */
function dropPrivileges(): string[] {
  const held = capabilities(process.geteuid?.() === 0 ? 'CapEff' : 'CapAmb');
  if (held === 0n) return [];
  const kept = (held & DAC_READ_SEARCH) === 0n ? '-all' : '-all,+dac_read_search';
  // Programs executed by root get the whole bounding set.
  const bounded = (held & SETPCAP) === 0n ? [] : [`--bounding-set=${kept}`];
  return ['setpriv', ...bounded, `--inh-caps=${kept}`, `--ambient-caps=${kept}`, '--'];
}

function capabilities(name: 'CapEff' | 'CapAmb'): bigint {
  const status = readFileSync('/proc/self/status', 'latin1');
  return BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1] ?? '0'}`);
}

/** Returns null if the entry is not in journald's format. */
function lineOf(entry: Json, boot: string): LogLine | null {
  const message = bytesOf(entry['MESSAGE']);
  const micros = Number(asText(entry['__REALTIME_TIMESTAMP'], 20));
  if (message === null || !Number.isSafeInteger(micros) || micros <= 0) return null;
  const pid = Number(asText(entry['_PID'], 10));
  // A pid of an earlier boot may belong to another process now.
  const isCurrent = asText(entry['_BOOT_ID']) === boot && Number.isSafeInteger(pid);
  const program = asText(entry['SYSLOG_IDENTIFIER'], 128) || asText(entry['_COMM'], 128);
  return {
    bytes: message.subarray(0, MAX_LINE),
    length: message.length,
    origin: 'journald',
    path: asText(entry['_SYSTEMD_UNIT'], 256),
    offset: -1,
    writtenAt: micros,
    sender: { program, pid: isCurrent ? pid : 0 },
  };
}

/** journalctl prints messages that are not UTF-8 as arrays of bytes. */
function bytesOf(value: unknown): Buffer | null {
  if (typeof value === 'string') return Buffer.from(value);
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte)) ? Buffer.from(value as number[]) : null;
}
