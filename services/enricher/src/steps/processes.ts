import {
  type BytesLeaf,
  type Credentials,
  type EventCursor,
  type FixedLeaf,
  KIND,
  leaf,
  type Namespaces,
  records,
  u64Equals,
  u64High,
  u64Low,
} from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import { fileOf } from '../state/file-identity.ts';
import { type FileHash, NO_HASH, PENDING } from '../state/known-hashes.ts';
import { type Image, NO_SCRIPT, type ProcessEntry, type Script, sameImage } from '../state/process.ts';
import type { BatchBuilder } from './batch.ts';

/** Bytes of arguments and of variables that a process keeps; the exec event has all. */
const ARGS_MAX = 4096;
const { PATH_MAX } = records.Limit;
/** Bytes of the last component of a path (NAME_MAX of Linux). */
const NAME_MAX = 255;
const SLASH = 0x2f;
const NO_NAME = Buffer.alloc(0);

type ParentLeaves = typeof leaf.Fork | typeof leaf.Exec;
type CredentialLeaves = typeof leaf.Exec.credentials | typeof leaf.CredentialsChange.after;
type NamespaceLeaves = typeof leaf.Exec.namespaces | typeof leaf.Fork.namespaces;

/** Updates the process of an event and returns it; null: the event has no process. */
export function followProcess(boot: Boot, cursor: EventCursor, out: BatchBuilder): ProcessEntry | null {
  if (cursor.tgid === 0) return null;
  const entry = boot.processes.findOrAdd(cursor.tgid, cursor.buffer, cursor.startAt, boot.tick);
  if (cursor.kind === KIND.Open || cursor.kind === KIND.Connect) {
    // Fast path: the most common kinds change nothing.
  } else if (cursor.kind === KIND.Fork) forked(boot, entry, cursor, out);
  else if (cursor.kind === KIND.Exec) executed(boot, entry, cursor, out);
  else if (cursor.kind === KIND.Exit) boot.processes.end(entry, boot.tick);
  else if (cursor.kind === KIND.CredentialsChange) credentialsChanged(boot, entry, cursor, out);
  else if (cursor.kind === KIND.Socket) listened(boot, entry, cursor, out);
  followCgroup(boot, entry, cursor, out);
  if (!entry.known && entry.parent !== null && entry.parent.known) inherit(boot, entry, entry.parent, out);
  return entry;
}

/** Returns why the event's context is partial; empty: it is complete. */
export function partialReason(entry: ProcessEntry | null, cursor: EventCursor): string {
  if (entry === null) return '';
  if (!entry.known) return 'process unknown';
  if (entry.container?.value.described === false) return 'its container has not been described yet';
  // The exec id of pid 1 is unknown, because pid 1 is read from /proc.
  if (cursor.execId === entry.execId || entry.execId === 0) return '';
  return cursor.execId > entry.execId
    ? 'its exec has not been seen'
    : 'late: the process has executed another program since';
}

function forked(boot: Boot, child: ProcessEntry, cursor: EventCursor, out: BatchBuilder): void {
  linkParent(boot, child, cursor, leaf.Fork);
  // An exec of the child that arrived first has newer values.
  if (child.ownImage) return;
  out.supersede(child);
  child.execId = cursor.execId;
  child.namespaces = namespacesAt(cursor, leaf.Fork.namespaces);
  boot.processes.touch(child);
  if (child.parent?.known !== true) return;
  inherit(boot, child, child.parent, out);
}

/** Copies what a fork inherits. If the parent has executed another program since, the child stays unknown. */
function inherit(boot: Boot, child: ProcessEntry, parent: ProcessEntry, out: BatchBuilder): void {
  const exact = parent.execId === child.execId || parent.execId === 0;
  if (!exact && sameImage(child.image, parent.image)) return;
  out.supersede(child);
  child.image = parent.image;
  if (child.credentialsAt === 0) child.credentials = parent.credentials;
  child.loginuid = parent.loginuid;
  child.sessionId = parent.sessionId;
  child.tty = parent.tty;
  child.processGroup = parent.processGroup;
  child.processSession = parent.processSession;
  if (exact) {
    child.serverPort = parent.serverPort;
    child.localServerPort = parent.localServerPort;
  }
  child.known = exact;
  boot.processes.touch(child);
}

function linkParent(boot: Boot, child: ProcessEntry, cursor: EventCursor, leaves: ParentLeaves): void {
  const tgid = cursor.leafLong(leaves.parentTgid);
  if (tgid <= 0 || child.parent !== null) return;
  const at = cursor.leafAt(leaves.parentStart);
  const parent = boot.processes.findOrAdd(tgid, cursor.buffer, at, boot.tick);
  boot.processes.link(child, parent);
}

const { Exec: EXEC, Socket: SOCKET } = leaf;

function executed(boot: Boot, entry: ProcessEntry, cursor: EventCursor, out: BatchBuilder): void {
  linkParent(boot, entry, cursor, EXEC);
  const snapshot = cursor.leafBoolean(EXEC.snapshot);
  // A late exec, or a snapshot of a process whose exec has arrived, has older values.
  if (entry.ownImage && (cursor.execId < entry.execId || (snapshot && cursor.execId === entry.execId))) return;
  out.supersede(entry);
  entry.image = imageOf(boot, cursor);
  entry.execId = cursor.execId;
  entry.known = true;
  entry.ownImage = true;
  entry.namespaces = namespacesAt(cursor, EXEC.namespaces);
  entry.loginuid = cursor.leafLong(EXEC.loginuid);
  entry.sessionId = cursor.leafLong(EXEC.sessionId);
  entry.tty = cursor.leafLong(EXEC.tty);
  entry.processGroup = cursor.leafLong(EXEC.processGroup);
  entry.processSession = cursor.leafLong(EXEC.processSession);
  // Programs hand on no listening socket by an exec, as a rule: descriptors are closed by it.
  entry.serverPort = 0;
  entry.localServerPort = 0;
  if (cursor.ktime >= entry.credentialsAt) {
    entry.credentials = credentialsAt(cursor, EXEC.credentials, entry.credentials);
    entry.credentialsAt = cursor.ktime;
  }
  boot.processes.touch(entry);
}

function imageOf(boot: Boot, cursor: EventCursor): Image {
  // A kernel thread has no executable, so its name is used.
  const path = cursor.leafLength(EXEC.pathBytes) > 0 ? EXEC.pathBytes : EXEC.filenameBytes;
  const inode = fixedAt(cursor, EXEC.inode);
  const device = cursor.leafLong(EXEC.device);
  // A kernel thread has no file to hash.
  const hashed = boot.hashing && cursor.leafLength(EXEC.pathBytes) > 0;
  const ctime = hashed ? cursor.leafLong(EXEC.ctime) : 0;
  return {
    executable: bytesAt(cursor, path, PATH_MAX),
    inode,
    device,
    ctime,
    hash: hashed ? hashOf(boot, device, inode, ctime) : NO_HASH,
    script: boot.hashing ? scriptOf(boot, cursor) : NO_SCRIPT,
    flags: cursor.leafLong(EXEC.flags),
    args: bytesAt(cursor, EXEC.argvBytes, ARGS_MAX),
    argsLength: cursor.leafLong(EXEC.argvLength),
    cwd: bytesAt(cursor, EXEC.cwdBytes, PATH_MAX),
    stdioSockets: cursor.leafLong(EXEC.stdioSockets),
    environment: bytesAt(cursor, EXEC.environmentBytes, ARGS_MAX),
    file: fileOf(cursor, EXEC),
    startedAs: cursor.leafBoolean(EXEC.snapshot) ? NO_NAME : baseName(bytesAt(cursor, EXEC.filenameBytes, PATH_MAX)),
  };
}

/** Returns the last component of a path. */
function baseName(path: Buffer): Buffer {
  const at = path.lastIndexOf(SLASH) + 1;
  return path.subarray(at, at + NAME_MAX);
}

function scriptOf(boot: Boot, cursor: EventCursor): Script {
  const at = cursor.leafAt(EXEC.scriptInode);
  if (u64Low(cursor.buffer, at) === 0 && u64High(cursor.buffer, at) === 0) return NO_SCRIPT;
  const inode = fixedAt(cursor, EXEC.scriptInode);
  const [device, ctime] = [cursor.leafLong(EXEC.scriptDevice), cursor.leafLong(EXEC.scriptCtime)];
  return { inode, device, ctime, hash: hashOf(boot, device, inode, ctime) };
}

const hashOf = (boot: Boot, device: number, inode: Buffer, ctime: number): FileHash =>
  boot.hashes.find(device, inode, ctime) ?? PENDING;

function credentialsChanged(boot: Boot, entry: ProcessEntry, cursor: EventCursor, out: BatchBuilder): void {
  if (cursor.ktime < entry.credentialsAt) return;
  out.supersede(entry);
  entry.credentials = credentialsAt(cursor, leaf.CredentialsChange.after, entry.credentials);
  entry.credentialsAt = cursor.ktime;
  boot.processes.touch(entry);
}

const LOOPBACK_4 = 127;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
/** ::1, and IPv4 addresses of the loopback interface as IPv6 writes them */
const LOOPBACK_6 = /^(?:0{31}1|0{20}ffff7f[0-9a-f]{6})$/;

function listened(boot: Boot, entry: ProcessEntry, cursor: EventCursor, out: BatchBuilder): void {
  // Pid 1 listens for the services that it starts at a connection.
  if (entry.tgid === 1 || cursor.leafLong(SOCKET.operation) !== records.SocketOperation.SOCKET_LISTEN) return;
  const port = cursor.leafLong(SOCKET.port);
  const member = isLoopback(bytesAt(cursor, SOCKET.address, IPV6_BYTES)) ? 'localServerPort' : 'serverPort';
  if (cursor.leafLong(SOCKET.result) < 0 || port === 0 || entry[member] === port) return;
  out.supersede(entry);
  entry[member] = port;
  boot.processes.touch(entry);
}

const isLoopback = (address: Buffer): boolean =>
  address.length === IPV4_BYTES ? address[0] === LOOPBACK_4 : LOOPBACK_6.test(address.toString('hex'));

/** Container runtimes move a process between fork and exec. A late event from before the move does not move it back. */
function followCgroup(boot: Boot, entry: ProcessEntry, cursor: EventCursor, out: BatchBuilder): void {
  const low = u64Low(cursor.buffer, cursor.cgroupAt);
  const high = u64High(cursor.buffer, cursor.cgroupAt);
  const hasMoved = low !== entry.cgroupLow || high !== entry.cgroupHigh;
  if (hasMoved && (low !== 0 || high !== 0) && cursor.ktime >= entry.cgroupAt) {
    out.supersede(entry);
    const { parent } = entry;
    const isLikeParent = parent !== null && parent.cgroupLow === low && parent.cgroupHigh === high;
    entry.setCgroup(isLikeParent ? parent.cgroup : copyOf(cursor.buffer, cursor.cgroupAt, 8), cursor.ktime);
    boot.processes.touch(entry);
  }
  const { container } = entry;
  if (boot.containerOf(entry) !== container) out.supersede(entry);
}

/** Returns a copy, because a view would keep the whole batch in memory. */
function copyOf(from: Buffer, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  from.copy(bytes, 0, at, at + length);
  return bytes;
}

const fixedAt = (cursor: EventCursor, field: FixedLeaf): Buffer => copyOf(cursor.buffer, cursor.leafAt(field), 8);
const bytesAt = (cursor: EventCursor, field: BytesLeaf, max: number): Buffer =>
  copyOf(cursor.buffer, cursor.leafAt(field), Math.min(cursor.leafLength(field), max));

const IDS = ['uid', 'gid', 'euid', 'egid', 'suid', 'sgid', 'fsuid', 'fsgid'] as const;
const SETS = ['capEffective', 'capPermitted', 'capInheritable'] as const;

function sameCredentials(cursor: EventCursor, leaves: CredentialLeaves, known: Credentials): boolean {
  return (
    IDS.every((id) => cursor.leafLong(leaves[id]) === known[id]) &&
    SETS.every((set) => u64Equals(cursor.buffer, known[set], cursor.leafAt(leaves[set])))
  );
}

/** Most execs don't change the credentials: then the same object is shared. */
function credentialsAt(cursor: EventCursor, leaves: CredentialLeaves, known: Credentials): Credentials {
  if (sameCredentials(cursor, leaves, known)) return known;
  return {
    uid: cursor.leafLong(leaves.uid),
    gid: cursor.leafLong(leaves.gid),
    euid: cursor.leafLong(leaves.euid),
    egid: cursor.leafLong(leaves.egid),
    suid: cursor.leafLong(leaves.suid),
    sgid: cursor.leafLong(leaves.sgid),
    fsuid: cursor.leafLong(leaves.fsuid),
    fsgid: cursor.leafLong(leaves.fsgid),
    capEffective: fixedAt(cursor, leaves.capEffective),
    capPermitted: fixedAt(cursor, leaves.capPermitted),
    capInheritable: fixedAt(cursor, leaves.capInheritable),
  };
}

function namespacesAt(cursor: EventCursor, leaves: NamespaceLeaves): Namespaces {
  return {
    mnt: cursor.leafLong(leaves.mnt),
    pid: cursor.leafLong(leaves.pid),
    net: cursor.leafLong(leaves.net),
    user: cursor.leafLong(leaves.user),
    uts: cursor.leafLong(leaves.uts),
    ipc: cursor.leafLong(leaves.ipc),
    cgroup: cursor.leafLong(leaves.cgroup),
    pidInNs: cursor.leafLong(leaves.pidInNs),
  };
}
