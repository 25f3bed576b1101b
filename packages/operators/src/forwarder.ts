import { closeSync, constants, existsSync, fstatSync, readSync } from 'node:fs';
import { type Log, LogThrottle, messageOf, pause } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import { type LoggedAction, loggedAction, SERVICE } from './action.ts';
import { checkLine, GENESIS, hashOf, type LogEntry, readLine, recordIdOf } from './line.ts';
import { LINE_MAX_BYTES, type OperatorLog } from './log.ts';
import { openFile } from './open-file.ts';
import type { Position } from './position.ts';

/** Commands of other processes append to the log, too. */
const POLL_MS = 1000;
const CHUNK_BYTES = 4 * LINE_MAX_BYTES;
const LOG_AGAIN_MS = 60_000;

export interface ForwarderDeps {
  readonly bus: Pick<Bus, 'produce'>;
  /** Signs the records; null on the embedded log */
  readonly key: SigningKey | null;
  readonly log: Log;
}

interface Record {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
}

export interface ForwarderStats {
  /** Lines that are on the bus */
  readonly forwarded: number;
  /** Lines that do not continue the log; each is reported by a record of its own */
  readonly damaged: number;
  /** Attempts that failed and are repeated */
  readonly failures: number;
}

/**
 * Forwards the operator log to `ringfence.operator`. The id of a record is the hash of its line, so that a line that is
 * sent again after a crash is stored once. A line that was changed is forwarded as a report, never as an action.
 */
export class OperatorForwarder implements AsyncDisposable {
  readonly #log: OperatorLog;
  readonly #deps: ForwarderDeps;
  readonly #stop = new AbortController();
  readonly #warnings = new LogThrottle(LOG_AGAIN_MS);
  readonly #running: Promise<void>;
  #forwarded = 0;
  #damaged = 0;
  #failures = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(log: OperatorLog, deps: ForwarderDeps) {
    this.#log = log;
    this.#deps = deps;
    this.#running = this.#run();
  }

  stats(): ForwarderStats {
    return { forwarded: this.#forwarded, damaged: this.#damaged, failures: this.#failures };
  }

  /** Forwards what the log has now. Never rejects: what fails is tried again later. */
  flush(): Promise<void> {
    this.#pending = this.#pending.then(() => this.#forwardAll());
    return this.#pending;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.flush();
      await pause(POLL_MS, this.#stop.signal, { ref: false });
    }
  }

  async #forwardAll(): Promise<void> {
    try {
      while (await this.#forwardChunk());
    } catch (error) {
      this.#failures++;
      if (this.#warnings.shouldLog('forward') !== null)
        this.#deps.log.warn(
          { error: messageOf(error) },
          'actions of operators wait in the log of this host: forwarding is tried again',
        );
    }
  }

  /** Returns false when the log has no further whole line. */
  async #forwardChunk(): Promise<boolean> {
    const stored = this.#log.position();
    const chunk = readChunk(this.#log.path, stored);
    if (chunk === null) return false;
    let { seq, hash } = chunk.after;
    const records: Record[] = [];
    for (const line of chunk.lines) {
      const { entry, problem } = checkLine(line, { seq, hash }, this.#log.identity.trusted);
      seq = readLine(line)?.seq ?? seq + 1;
      hash = hashOf(line);
      if (problem !== null) records.push(this.#record(hashOf(`damaged ${hash}`), this.#report(seq, problem)));
      if (entry !== null) records.push(this.#record(hash, actionOf(entry)));
    }
    await this.#deps.bus.produce(records);
    this.#forwarded += records.length;
    const { inode, offset } = chunk;
    await this.#log.locked(() => this.#log.savePosition({ inode, offset, seq, hash }));
    return true;
  }

  #record(hash: string, fields: LoggedAction): Record {
    const { hostId } = this.#log.identity;
    const value = encodeSigned('OperatorAction', { id: recordIdOf(hash), ...fields }, this.#deps.key);
    return { topic: TOPIC.operator, key: hostId, value };
  }

  #report(seq: number, problem: string): LoggedAction {
    this.#damaged++;
    this.#deps.log.error({ line: seq, problem }, 'the operator log was changed: a record reports it');
    const action = { action: 'operator-log.damaged', target: `line ${seq}`, details: { problem } };
    return loggedAction(this.#log.identity.hostId, Date.now() * 1000, action, SERVICE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.flush();
  }
}

/** Removes the chain of the line: the record is signed and chained anew. */
function actionOf({ seq: _, prev: __, keyId: ___, ...action }: LogEntry): LoggedAction {
  return action;
}

/** Whether the last forwarded line is still there: another file may have the number of a removed one. */
function endsWith(fd: number, { offset, hash }: Position): boolean {
  const bytes = Buffer.alloc(Math.min(offset, LINE_MAX_BYTES));
  const read = readSync(fd, bytes, 0, bytes.length, offset - bytes.length);
  return hashOf(bytes.toString('utf8', 0, read).split('\n').at(-2) ?? '') === hash;
}

interface Chunk {
  readonly lines: readonly string[];
  readonly inode: number;
  /** Behind the last of the lines */
  readonly offset: number;
  /** The line before the first one */
  readonly after: { readonly seq: number; readonly hash: string };
}

/** Reads whole lines behind the position. Without a position the first line begins the log, or continues a lost one. */
function readChunk(path: string, position: Position | null): Chunk | null {
  if (!existsSync(path)) return null;
  const fd = openFile(path, constants.O_RDONLY);
  try {
    const { ino: inode, size } = fstatSync(fd);
    const isSame = position !== null && position.inode === inode && endsWith(fd, position);
    const start = isSame ? position.offset : 0;
    const bytes = Buffer.alloc(Math.min(CHUNK_BYTES, size - start));
    readSync(fd, bytes, 0, bytes.length, start);
    const end = bytes.lastIndexOf('\n') + 1;
    // A line longer than a chunk was not written by this program: skip what was read of it as a damaged line.
    const whole = end > 0 ? end : bytes.length === CHUNK_BYTES ? bytes.length : 0;
    if (whole === 0) return null;
    const lines = bytes
      .toString('utf8', 0, whole)
      .split('\n')
      .filter((line) => line !== '');
    const after = position ?? { seq: 0, hash: GENESIS };
    return { lines, inode, offset: start + whole, after: { seq: after.seq, hash: after.hash } };
  } finally {
    closeSync(fd);
  }
}
