import { type Credentials, type Exec, U64_ZERO, u64FromBigInt } from '@ringfence/wire';
import { text, type Words } from './body.ts';
import type { SyntheticProcess } from './process.ts';

export type ExecValues = Partial<
  Omit<
    Exec,
    | 'path'
    | 'filename'
    | 'cwd'
    | 'argv'
    | 'environment'
    | 'interpreter'
    | 'script'
    | 'scriptInode'
    | 'realInode'
    | 'credentials'
    | 'inode'
  >
> & {
  readonly argv?: readonly string[] | Uint8Array;
  readonly filename?: Words;
  readonly cwd?: Words;
  /** Variables as NAME=value. */
  readonly environment?: readonly string[];
  readonly interpreter?: Words;
  readonly script?: Words;
  readonly scriptInode?: bigint;
  readonly realInode?: bigint;
  readonly credentials?: Credentials;
  readonly inode?: bigint;
};

/** The executable file; values of the exec may override it. */
export interface ExecutableFile {
  readonly path: Words;
  readonly inode: bigint;
  /** µs since the epoch. */
  readonly changedAt: number;
}

/** Returns the body of an exec of the file by the process; `values` override its fields. */
export function execBody(
  process: SyntheticProcess,
  { path, inode, changedAt }: ExecutableFile,
  values: ExecValues,
): Exec {
  const { argv = [typeof path === 'string' ? path : ''], filename = path, cwd = '/', ...further } = values;
  const { environment = [], interpreter = '', script = '', ...rest } = further;
  const words = argv instanceof Uint8Array ? argv : Buffer.from(argv.join('\0'));
  return {
    snapshot: false,
    parentTgid: process.parent?.tgid ?? 0,
    parentStart: process.parent?.startBytes ?? U64_ZERO,
    device: 8,
    ctime: changedAt,
    mtime: changedAt,
    mode: 0o100755,
    owner: 0,
    flags: 0,
    namespaces: process.namespaces,
    loginuid: process.loginuid,
    sessionId: process.sessionId,
    tty: process.tty,
    processGroup: process.processGroup,
    processSession: process.processSession,
    argc: argv instanceof Uint8Array ? 1 : argv.length,
    stdioSockets: 0,
    scriptDevice: 8,
    scriptCtime: changedAt,
    realDevice: 0,
    generation: 0,
    ...rest,
    credentials: process.credentials,
    inode: u64FromBigInt(values.inode ?? inode),
    path: text(path),
    filename: text(filename),
    cwd: text(cwd),
    argv: text(words),
    environment: text(environment.join('\0')),
    interpreter: text(interpreter),
    script: text(script),
    scriptInode: u64FromBigInt(values.scriptInode ?? 0n),
    realInode: u64FromBigInt(values.realInode ?? 0n),
  };
}
