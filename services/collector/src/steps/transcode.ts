import { type AvroWriter, KIND, nanosToMicros, records } from '@ringfence/schema';
import type { Batch } from './batch.ts';

/** A ring's pages, or a snapshot's records: the same memory twice. */
export interface Source {
  readonly view: DataView;
  readonly bytes: Buffer;
}

const { FORK, EXEC, EXIT, CREDENTIALS, OPEN, CONNECT } = records.Kind;
const COPY_LOOP_MAX = 32;

/** Writes one sound record (see record-check.ts) as an event, from where the kernel wrote it. Nothing is allocated. */
export function transcode(source: Source, at: number, lane: number, late: boolean, batch: Batch): void {
  const { view, bytes } = source;
  const sequence = records.headerSequenceHi(view, at) * 4294967296 + records.headerSequenceLo(view, at);
  const ktime = nanosToMicros(bytes, at + records.HEADER_KTIME);
  const out = begin(source, at, lane, records.headerCpu(view, at), sequence, ktime, late, batch);
  const kind = records.headerKind(view, at);
  if (kind === OPEN) writeOpen(out, source, at);
  else if (kind === EXEC) writeExec(out, source, at, false);
  else if (kind === FORK) writeFork(out, source, at);
  else if (kind === EXIT) writeExit(out, source, at);
  else if (kind === CREDENTIALS) writeCredentialsChange(out, source, at);
  else if (kind === CONNECT) writeConnect(out, source, at);
  else writeAccept(out, source, at);
}

/** A process found at start: an exec that wasn't seen, in a lane of the agent's own. `ktime` in µs. */
export function transcodeSnapshot(
  source: Source,
  at: number,
  lane: number,
  sequence: number,
  ktime: number,
  batch: Batch,
): void {
  writeExec(begin(source, at, lane, 0, sequence, ktime, false, batch), source, at, true);
}

function begin(
  { view, bytes }: Source,
  at: number,
  lane: number,
  cpu: number,
  sequence: number,
  ktime: number,
  late: boolean,
  batch: Batch,
): AvroWriter {
  const out = batch.begin(
    lane,
    cpu,
    sequence,
    ktime,
    late,
    records.headerTgid(view, at) | 0,
    records.headerTid(view, at) | 0,
  );
  out.fixed(bytes, at + records.HEADER_START, 8);
  out.fixed(bytes, at + records.HEADER_CGROUP, 8);
  out.long(records.headerExecIdHi(view, at) * 4294967296 + records.headerExecIdLo(view, at));
  return out;
}

function writeFork(out: AvroWriter, { view, bytes }: Source, at: number): void {
  out.long(KIND.Fork);
  out.long(records.forkParentTgid(view, at) | 0);
  out.fixed(bytes, at + records.FORK_PARENT_START, 8);
  writeNamespaces(out, view, at + records.FORK_NS);
}

function writeExec(out: AvroWriter, source: Source, at: number, snapshot: boolean): void {
  const { view, bytes } = source;
  out.ensure(768);
  out.long(KIND.Exec);
  out.boolean(snapshot);
  out.long(records.execParentTgid(view, at) | 0);
  out.fixed(bytes, at + records.EXEC_PARENT_START, 8);
  out.fixed(bytes, at + records.EXEC_INODE, 8);
  out.long(records.execDevice(view, at));
  out.long(signedMicros(records.execCtimeLo(view, at), records.execCtimeHi(view, at)));
  out.long(signedMicros(records.execMtimeLo(view, at), records.execMtimeHi(view, at)));
  out.long(records.execMode(view, at) | 0);
  out.long(records.execOwnerUid(view, at));
  out.long(records.execFlags(view, at) | 0);
  writeCredentials(out, source, at + records.EXEC_CREDS);
  writeNamespaces(out, view, at + records.EXEC_NS);
  out.long(records.execLoginuid(view, at));
  out.long(records.execSessionid(view, at));
  out.long(records.execTty(view, at));
  out.long(records.execArgc(view, at) | 0);
  out.long(records.execStdioSockets(view, at) | 0);
  writeText(out, source, at, records.EXEC_PATH);
  writeText(out, source, at, records.EXEC_FILENAME);
  writeText(out, source, at, records.EXEC_CWD);
  writeText(out, source, at, records.EXEC_ARGV);
}

function writeExit(out: AvroWriter, { view }: Source, at: number): void {
  out.long(KIND.Exit);
  out.long(records.exitCode(view, at));
  out.long(records.exitSignal(view, at) | 0);
  out.boolean(records.exitCore(view, at) !== 0);
  out.long(signedMicros(records.exitDurationLo(view, at), records.exitDurationHi(view, at)));
}

function writeCredentialsChange(out: AvroWriter, source: Source, at: number): void {
  out.long(KIND.CredentialsChange);
  writeCredentials(out, source, at + records.CREDENTIALS_CHANGE_BEFORE);
  writeCredentials(out, source, at + records.CREDENTIALS_CHANGE_AFTER);
}

function writeOpen(out: AvroWriter, source: Source, at: number): void {
  const { view, bytes } = source;
  out.long(KIND.Open);
  out.fixed(bytes, at + records.OPEN_INODE, 8);
  out.long(records.openDevice(view, at));
  out.long(records.openFlags(view, at) | 0);
  out.long(records.openResult(view, at));
  out.long(records.openMode(view, at) | 0);
  out.boolean(records.openSourceCaller(view, at) !== 0);
  writeText(out, source, at, records.OPEN_PATH);
}

const AF_INET = 2;
const AF_INET6 = 10;

function writeConnect(out: AvroWriter, source: Source, at: number): void {
  const { view, bytes } = source;
  const family = records.connectFamily(view, at);
  const addressBytes = bytesOfAddress(family);
  out.long(KIND.Connect);
  out.long(family);
  out.long(records.connectType(view, at));
  out.long(records.connectProtocol(view, at));
  out.bytes(bytes, at + records.CONNECT_ADDRESS, addressBytes);
  out.long(records.connectPort(view, at));
  out.long(records.connectResult(view, at));
  writeText(out, source, at, records.CONNECT_PATH);
  const localPort = records.connectLocalPort(view, at);
  out.bytes(bytes, at + records.CONNECT_LOCAL_ADDRESS, localPort === 0 ? 0 : addressBytes);
  out.long(localPort);
}

function writeAccept(out: AvroWriter, { view, bytes }: Source, at: number): void {
  const family = records.acceptFamily(view, at);
  const addressBytes = bytesOfAddress(family);
  out.long(KIND.Accept);
  out.long(family);
  out.long(records.acceptType(view, at));
  out.long(records.acceptProtocol(view, at));
  out.bytes(bytes, at + records.ACCEPT_ADDRESS, addressBytes);
  out.long(records.acceptPort(view, at));
  out.bytes(bytes, at + records.ACCEPT_LOCAL_ADDRESS, addressBytes);
  out.long(records.acceptLocalPort(view, at));
  out.long(records.acceptResult(view, at));
}

const bytesOfAddress = (family: number): number => (family === AF_INET ? 4 : family === AF_INET6 ? 16 : 0);

function writeCredentials(out: AvroWriter, { view, bytes }: Source, at: number): void {
  out.long(records.credentialsUid(view, at));
  out.long(records.credentialsGid(view, at));
  out.long(records.credentialsEuid(view, at));
  out.long(records.credentialsEgid(view, at));
  out.long(records.credentialsSuid(view, at));
  out.long(records.credentialsSgid(view, at));
  out.long(records.credentialsFsuid(view, at));
  out.long(records.credentialsFsgid(view, at));
  out.fixed(bytes, at + records.CREDENTIALS_CAP_EFFECTIVE, 8);
  out.fixed(bytes, at + records.CREDENTIALS_CAP_PERMITTED, 8);
  out.fixed(bytes, at + records.CREDENTIALS_CAP_INHERITABLE, 8);
}

function writeNamespaces(out: AvroWriter, view: DataView, at: number): void {
  out.long(records.namespacesMnt(view, at));
  out.long(records.namespacesPid(view, at));
  out.long(records.namespacesNet(view, at));
  out.long(records.namespacesUser(view, at));
  out.long(records.namespacesUts(view, at));
  out.long(records.namespacesIpc(view, at));
  out.long(records.namespacesCgroup(view, at));
  out.long(records.namespacesPidInNs(view, at) | 0);
}

/** The kept bytes and the true length. Short texts byte by byte: that is faster than a call into the engine. */
function writeText(out: AvroWriter, { view, bytes }: Source, at: number, text: number): void {
  const kept = records.textKept(view, at + text);
  const start = at + records.textOffset(view, at + text);
  out.ensure(kept + 32);
  out.long(kept);
  if (kept <= COPY_LOOP_MAX) {
    const { buffer, at: to } = out;
    for (let i = 0; i < kept; i++) buffer[to + i] = bytes[start + i] as number;
  } else {
    bytes.copy(out.buffer, out.at, start, start + kept);
  }
  out.at += kept;
  out.long(records.textLength(view, at + text));
}

/** The longest that every reader takes: 285 years. */
const MICROS_MAX = Number.MAX_SAFE_INTEGER - 1;

/** Signed ns as µs, rounded down, at most 285 years from 0. A file's times are whatever its owner wrote: they may lie before the epoch. */
export function signedMicros(low: number, high: number): number {
  const signed = high | 0;
  // 2^32 ns = 4294967 µs and 296 ns
  const micros = signed * 4294967 + Math.floor((signed * 296 + low) / 1000);
  return Math.max(-MICROS_MAX, Math.min(micros, MICROS_MAX));
}
