import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fdatasyncSync,
  fstatSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { OperatorError, pause } from '@ringfence/base';
import { writeSecret } from '@ringfence/identity';
import { type Identity, loadLocalIdentity } from '@ringfence/identity/local';
import { type Action, loggedAction, type Operator } from './action.ts';
import { GENESIS, hashOf, readLine, recordIdOf, writeLine } from './line.ts';
import { tryLock } from './native.ts';
import { openFile } from './open-file.ts';
import { type Position, readPosition } from './position.ts';

/** A line is far shorter: its fields are cut. */
export const LINE_MAX_BYTES: number = 64 * 1024;
/** A log whose lines were all forwarded begins anew at this size; the former one is kept beside it. */
const ROTATE_BYTES = 1 << 20;
/** About 100,000 lines that nothing has forwarded */
const MAX_BYTES = 64 << 20;
const LOCK_WAIT_MS = 10_000;
const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } = constants;

export interface OperatorLogOptions {
  readonly stateDir: string;
  /** Size beyond which nothing is written until the lines are forwarded, bytes. @default 64 MiB */
  readonly maxBytes?: number;
  /** @default 1 MiB */
  readonly rotateBytes?: number;
}

interface End {
  readonly seq: number;
  readonly hash: string;
  /** Whether a crash, or another writer, left a line without its end */
  readonly isTorn: boolean;
}

/**
 * The operator log of a host: one signed line of JSON for each action, chained by the hash of the line before. Any
 * number of processes may append. A line is on the disk before its action begins.
 */
export class OperatorLog {
  readonly path: string;
  readonly identity: Identity;
  readonly #options: OperatorLogOptions;

  /** Creates the identity of the host if there is none. Throws OperatorError when `stateDir` can't be used. */
  constructor(options: OperatorLogOptions) {
    this.#options = options;
    this.identity = loadLocalIdentity(options.stateDir);
    this.path = join(options.stateDir, 'operator-log.jsonl');
  }

  get formerPath(): string {
    return join(this.#options.stateDir, 'operator-log.1.jsonl');
  }

  /** Resolves to the id of the record once its line is on the disk. Rejects with OperatorError when it can't be. */
  async append(action: Action, operator: Operator): Promise<string> {
    return this.locked(() => this.#append(action, operator));
  }

  /** Runs `use` while no other process writes. Rejects with OperatorError. */
  async locked<T>(use: () => T): Promise<T> {
    let fd: number | undefined;
    try {
      fd = this.#open(join(this.#options.stateDir, 'operator-log.lock'), O_RDWR | O_CREAT);
      for (const end = performance.now() + LOCK_WAIT_MS; !tryLock(fd); await pause(5))
        if (performance.now() > end) throw new Error('another process has locked it for 10 s');
      return use();
    } catch (cause) {
      if (cause instanceof OperatorError) throw cause;
      throw new OperatorError(
        `the operator log ${this.path} can't be written, so nothing was done: ${(cause as Error).message}`,
        { cause, code: 'ERR_OPERATOR_LOG' },
      );
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  #append(action: Action, operator: Operator): string {
    const end = this.#end();
    this.#rotate();
    const { hostId, responderKey } = this.identity;
    const line = writeLine(
      loggedAction(hostId, Date.now() * 1000, action, operator),
      end.seq + 1,
      end.hash,
      responderKey,
    );
    const fd = this.#open(this.path, O_WRONLY | O_APPEND | O_CREAT);
    try {
      const { size } = fstatSync(fd);
      const { maxBytes = MAX_BYTES } = this.#options;
      if (size + line.length > maxBytes)
        throw new Error(
          `it has ${size} bytes that no ringfence up has forwarded: start one that may write ringfence.operator, or move the file away`,
        );
      const isTorn = end.isTorn && size > 0;
      writeSync(fd, `${isTorn ? '\n' : ''}${line}\n`);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return recordIdOf(hashOf(line));
  }

  /** A new file belongs to the owner of the folder, so that a service without root's rights can append, too. */
  #open(path: string, flags: number): number {
    const fd = openFile(path, flags);
    const { size, uid } = fstatSync(fd);
    const owner = statSync(this.#options.stateDir);
    if (process.getuid?.() === 0 && size === 0 && uid === 0 && owner.uid !== 0) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  }

  /** Begins a new file when the present one is large and was forwarded; its first line continues the chain. */
  #rotate(): void {
    const file = statSync(this.path, { throwIfNoEntry: false });
    const { rotateBytes = ROTATE_BYTES } = this.#options;
    if (file === undefined || file.size < rotateBytes) return;
    const position = this.position();
    if (position === null || position.inode !== file.ino || position.offset < file.size) return;
    renameSync(this.path, this.formerPath);
  }

  #end(): End {
    return endOf(this.path) ?? endOf(this.formerPath) ?? { seq: 0, hash: GENESIS, isTorn: false };
  }

  position(): Position | null {
    return readPosition(this.#positionPath);
  }

  savePosition(position: Position): void {
    writeSecret(this.#positionPath, JSON.stringify(position));
  }

  get #positionPath(): string {
    return join(this.#options.stateDir, 'operator-log.position');
  }
}

/** Reads the last line of a log; null when the file is missing or empty. */
function endOf(path: string): End | null {
  if (!existsSync(path)) return null;
  const fd = openFile(path, O_RDONLY);
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return null;
    const bytes = Buffer.alloc(Math.min(size, 2 * LINE_MAX_BYTES));
    readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString('utf8');
    const isTorn = !text.endsWith('\n');
    const lines = text.split('\n').filter((line) => line !== '');
    const last = lines.at(-1) ?? '';
    // A line that can't be read keeps its number: the next line continues behind it.
    const known = lines.findLastIndex((line) => readLine(line) !== null);
    const seq = (readLine(lines[known] ?? '')?.seq ?? 0) + lines.length - 1 - known;
    return { seq, hash: hashOf(last), isTorn };
  } finally {
    closeSync(fd);
  }
}
