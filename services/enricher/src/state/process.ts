import {
  type Credentials,
  entityId,
  type Namespaces,
  type Process,
  U64_ZERO,
  UNSET_ID,
  u64High,
  u64Low,
} from '@ringfence/wire';
import type { KnownContainer } from './contexts.ts';
import type { FileIdentity } from './file-identity.ts';
import { type FileHash, NO_HASH } from './known-hashes.ts';

/** The script that a process was started as. */
export interface Script {
  readonly inode: Buffer;
  readonly device: number;
  /** µs since the epoch */
  readonly ctime: number;
  readonly hash: FileHash;
}
export const NO_SCRIPT: Script = { inode: U64_ZERO, device: 0, ctime: 0, hash: NO_HASH };

/** The part of a process that an exec sets. Forks share it until they exec. */
export interface Image {
  readonly executable: Buffer;
  readonly inode: Buffer;
  readonly device: number;
  /** µs since the epoch; 0: it is not hashed */
  readonly ctime: number;
  /** hash of the executable when the image was made, or as a later event of the process reported it */
  readonly hash: FileHash;
  readonly script: Script;
  readonly flags: number;
  readonly args: Buffer;
  readonly argsLength: number;
  readonly cwd: Buffer;
  readonly stdioSockets: number;
  /** last component of the path that was passed to exec; empty: unknown */
  readonly startedAs: Buffer;
  /** NUL-separated */
  readonly environment: Buffer;
  /** identity of the executable's file; null: not known since a restart of the enricher */
  readonly file: FileIdentity | null;
}

/** Compares by value, because images that were one object before a restart are separate objects after it. */
export function sameImage(a: Image, b: Image): boolean {
  if (a === b) return true;
  return (
    a.device === b.device &&
    a.ctime === b.ctime &&
    a.flags === b.flags &&
    a.argsLength === b.argsLength &&
    a.stdioSockets === b.stdioSockets &&
    a.startedAs.equals(b.startedAs) &&
    a.environment.equals(b.environment) &&
    a.script.ctime === b.script.ctime &&
    a.script.inode.equals(b.script.inode) &&
    a.inode.equals(b.inode) &&
    a.executable.equals(b.executable) &&
    a.args.equals(b.args) &&
    a.cwd.equals(b.cwd)
  );
}

const EMPTY = Buffer.alloc(0);
export const NO_IMAGE: Image = {
  executable: EMPTY,
  inode: U64_ZERO,
  device: 0,
  ctime: 0,
  hash: NO_HASH,
  script: NO_SCRIPT,
  flags: 0,
  args: EMPTY,
  argsLength: 0,
  cwd: EMPTY,
  stdioSockets: 0,
  startedAs: EMPTY,
  environment: EMPTY,
  file: null,
};
const NO_CREDENTIALS: Credentials = {
  uid: UNSET_ID,
  gid: UNSET_ID,
  euid: UNSET_ID,
  egid: UNSET_ID,
  suid: UNSET_ID,
  sgid: UNSET_ID,
  fsuid: UNSET_ID,
  fsgid: UNSET_ID,
  capEffective: U64_ZERO,
  capPermitted: U64_ZERO,
  capInheritable: U64_ZERO,
};
const NO_NAMESPACES: Namespaces = { mnt: 0, pid: 0, net: 0, user: 0, uts: 0, ipc: 0, cgroup: 0, pidInNs: 0 };

/** A process in its current state. It is a placeholder (`known` is false) until its fork, exec or snapshot arrives. */
export class ProcessEntry {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: Buffer;
  readonly startLow: number;
  readonly startHigh: number;
  /** the previous process with this pid */
  older: ProcessEntry | null = null;
  parent: ProcessEntry | null = null;
  /** number of entries with this parent */
  children = 0;
  /** position in the order of first events, over the boot */
  readonly ordinal: number;
  /** tick of its exit; -1: it is running */
  exitTick = -1;
  exitOrdinal = 0;
  /** its time after the exit is over, and only its children keep it */
  waiting = false;

  known = false;
  /** whether `image` comes from its own exec, not from its parent */
  ownImage = false;
  image: Image = NO_IMAGE;
  execId = 0;
  credentials: Credentials = NO_CREDENTIALS;
  /** ktime (µs) of the event that `credentials` come from */
  credentialsAt = 0;
  namespaces: Namespaces = NO_NAMESPACES;
  loginuid: number = UNSET_ID;
  sessionId: number = UNSET_ID;
  tty = 0;
  /** numbers of the leaders in the process's own pid namespace; 0: unknown there */
  processGroup = 0;
  processSession = 0;
  cgroup: Buffer = U64_ZERO;
  cgroupLow = 0;
  cgroupHigh = 0;
  /** port on which it listens, or the process that it was forked from; 0: none */
  serverPort = 0;
  /** as `serverPort`, on the loopback interface */
  localServerPort = 0;
  /** ktime (µs) of the event that `cgroup` comes from */
  cgroupAt = 0;
  container: KnownContainer | null = null;
  /** `Contexts.epoch` at which `container` was looked up */
  containerEpoch = -1;

  /** the output batch in which `slot` is its index */
  stamp = 0;
  slot = 0;
  dirty = false;
  #entityId: Buffer | undefined;

  constructor(tgid: number, start: Buffer, ordinal: number) {
    this.tgid = tgid;
    this.start = start;
    this.startLow = u64Low(start);
    this.startHigh = u64High(start);
    this.ordinal = ordinal;
  }

  setCgroup(bytes: Buffer, ktime: number): void {
    this.cgroup = bytes;
    this.cgroupAt = ktime;
    this.cgroupLow = u64Low(bytes);
    this.cgroupHigh = u64High(bytes);
    this.containerEpoch = -1;
  }

  startedAfter(process: ProcessEntry): boolean {
    return this.startHigh === process.startHigh ? this.startLow > process.startLow : this.startHigh > process.startHigh;
  }

  /** Returns the process as EventBatches have it. `parent`, `container`: indexes in the batch; -1: none. */
  toProcess(
    hostId: string,
    bootId: string,
    parent: number,
    container: number,
    user: string,
    hash: FileHash = this.image.hash,
    scriptHash: FileHash = this.image.script.hash,
  ): Process {
    this.#entityId ??= entityId(hostId, bootId, this.tgid, this.start);
    return {
      entityId: this.#entityId,
      pid: this.tgid,
      start: this.start,
      execId: this.execId,
      parent,
      container,
      cgroup: this.cgroup,
      executable: this.image.executable,
      executableInode: this.image.inode,
      executableDevice: this.image.device,
      execFlags: this.image.flags,
      args: this.image.args,
      argsLength: this.image.argsLength,
      cwd: this.image.cwd,
      credentials: this.credentials,
      user,
      namespaces: this.namespaces,
      loginuid: this.loginuid,
      sessionId: this.sessionId,
      tty: this.tty,
      stdioSockets: this.image.stdioSockets,
      executableCtime: this.image.ctime,
      sha256: hash.sha256,
      hashState: hash.state,
      scriptInode: this.image.script.inode,
      scriptDevice: this.image.script.device,
      scriptCtime: this.image.script.ctime,
      scriptSha256: scriptHash.sha256,
      scriptHashState: scriptHash.state,
      processGroup: this.processGroup,
      processSession: this.processSession,
      startedAs: this.image.startedAs,
      environment: this.image.environment,
      serverPort: this.serverPort,
      localServerPort: this.localServerPort,
    };
  }
}
