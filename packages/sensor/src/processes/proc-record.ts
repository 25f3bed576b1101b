import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { ifReadable, kernelDevice } from '@ringfence/host-kit';
import { records, UNSET_ID } from '@ringfence/wire';
import type { Snapshot } from './snapshot.ts';

/** Clock ticks per second in /proc/PID/stat: USER_HZ, which is 100 on every current architecture. */
const USER_HZ = 100n;
const TEXT_MAX = records.Limit.PATH_MAX;
/** The texts of struct rf_exec in the order of `texts` in `build`. Texts without a value there stay empty. */
const TEXT_FIELDS = [
  records.EXEC_PATH,
  records.EXEC_FILENAME,
  records.EXEC_CWD,
  records.EXEC_ARGV,
  records.EXEC_ENVIRONMENT,
  records.EXEC_INTERPRETER,
  records.EXEC_SCRIPT,
];
const NAMESPACES = ['mnt', 'pid', 'net', 'user', 'uts', 'ipc', 'cgroup'] as const;

/**
 * Builds a record (struct rf_exec) of a process from /proc, for pid 1 where the kernel's iterator does not show it. The
 * start time comes from a child in `snapshot`, whose record has its parent's exact start; without a child it comes from
 * /proc, rounded to 10 ms. Returns null if there is no such process.
 */
export function procRecord(pid: number, snapshot: Snapshot): Buffer | null {
  return ifReadable(() => build(pid, startOf(pid, snapshot)));
}

function startOf(pid: number, { view, bytes, offsets }: Snapshot): bigint {
  const child = offsets.find((at) => records.execParentTgid(view, at) === pid);
  if (child !== undefined) return bytes.readBigUInt64LE(child + records.EXEC_PARENT_START);
  return (BigInt(statFields(pid)[19] ?? 0) * 1_000_000_000n) / USER_HZ;
}

/** Returns the fields of /proc/PID/stat after the name, which may contain any character. The first one is the state. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function build(pid: number, start: bigint): Buffer {
  const filename = Buffer.alloc(0);
  const texts = [readLink(pid, 'exe'), filename, readLink(pid, 'cwd'), argvOf(pid)];
  const record = Buffer.alloc(records.SIZEOF_EXEC + texts.reduce((sum, text) => sum + text.length, 0));
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  fillHeader(record, view, pid, start);
  fillFile(record, view, pid);
  fillStatus(record, view, pid);
  const stat = statFields(pid);
  view.setUint32(records.EXEC_PARENT_TGID, Number(stat[1] ?? 0), true);
  view.setUint32(records.EXEC_LOGINUID, numberIn(pid, 'loginuid'), true);
  view.setUint32(records.EXEC_SESSION_ID, numberIn(pid, 'sessionid'), true);
  view.setUint32(records.EXEC_PROCESS_GROUP, Number(stat[2] ?? 0), true);
  view.setUint32(records.EXEC_PROCESS_SESSION, Number(stat[3] ?? 0), true);
  view.setUint32(records.EXEC_TTY, kernelDevice(BigInt(stat[4] ?? 0)), true);
  NAMESPACES.forEach((name, index) => {
    const inode = ifReadable(() => statSync(`/proc/${pid}/ns/${name}`).ino) ?? 0;
    view.setUint32(records.EXEC_NAMESPACES + index * 4, inode, true);
  });
  view.setUint32(records.EXEC_NAMESPACES + records.NAMESPACES_PID_IN_NS, pid, true);
  view.setUint32(records.EXEC_SNAPSHOT, 1, true);
  view.setUint32(records.EXEC_STDIO_SOCKETS, stdioSockets(pid), true);
  fillTexts(record, view, texts);
  return record;
}

function fillHeader(record: Buffer, view: DataView, pid: number, start: bigint): void {
  record.writeBigUInt64LE(start, records.HEADER_START);
  view.setUint32(records.HEADER_TGID, pid, true);
  view.setUint32(records.HEADER_TID, pid, true);
  view.setUint32(records.HEADER_SIZE, record.length, true);
  view.setUint16(records.HEADER_KIND, records.Kind.EXEC, true);
}

function fillFile(record: Buffer, view: DataView, pid: number): void {
  const file = ifReadable(() => statSync(`/proc/${pid}/exe`, { bigint: true }));
  if (file === null) return;
  record.writeBigUInt64LE(file.ino, records.EXEC_INODE);
  record.writeBigInt64LE(file.ctimeNs, records.EXEC_CTIME);
  record.writeBigInt64LE(file.mtimeNs, records.EXEC_MTIME);
  view.setUint32(records.EXEC_DEVICE, kernelDevice(file.dev), true);
  view.setUint32(records.EXEC_MODE, Number(file.mode), true);
  view.setUint32(records.EXEC_OWNER, Number(file.uid), true);
}

function fillStatus(record: Buffer, view: DataView, pid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const line = (name: string): string[] => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? [];
  const credentials = records.EXEC_CREDENTIALS;
  const [uid, euid, suid, fsuid] = line('Uid').map(Number);
  const [gid, egid, sgid, fsgid] = line('Gid').map(Number);
  [uid, gid, euid, egid, suid, sgid, fsuid, fsgid].forEach((id, index) => {
    view.setUint32(credentials + index * 4, id ?? 0, true);
  });
  ['CapEff', 'CapPrm', 'CapInh'].forEach((name, index) => {
    const bits = BigInt(`0x${line(name)[0] ?? '0'}`);
    record.writeBigUInt64LE(bits, credentials + records.CREDENTIALS_CAP_EFFECTIVE + index * 8);
  });
}

function fillTexts(record: Buffer, view: DataView, texts: readonly Buffer[]): void {
  let end = records.SIZEOF_EXEC;
  TEXT_FIELDS.forEach((at, index) => {
    const text = texts[index] ?? Buffer.alloc(0);
    view.setUint32(at + records.TEXT_OFFSET, end, true);
    view.setUint32(at + records.TEXT_KEPT, text.length, true);
    view.setUint32(at + records.TEXT_LENGTH, text.length, true);
    text.copy(record, end);
    end += text.length;
  });
}

function argvOf(pid: number): Buffer {
  const text = ifReadable(() => readFileSync(`/proc/${pid}/cmdline`)) ?? Buffer.alloc(0);
  return text.subarray(0, Math.min(TEXT_MAX, text.at(-1) === 0 ? text.length - 1 : text.length));
}

function readLink(pid: number, name: string): Buffer {
  const target = ifReadable(() => readlinkSync(`/proc/${pid}/${name}`, 'buffer')) ?? Buffer.alloc(0);
  return target.subarray(0, TEXT_MAX);
}

function numberIn(pid: number, file: string): number {
  return Number(ifReadable(() => readFileSync(`/proc/${pid}/${file}`, 'latin1')) ?? UNSET_ID);
}

function stdioSockets(pid: number): number {
  const open = ifReadable(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  const sockets = [0, 1, 2].filter(
    (fd) => open.includes(String(fd)) && readLink(pid, `fd/${fd}`).toString().startsWith('socket:'),
  );
  return sockets.reduce((bits, fd) => bits | (1 << fd), 0);
}
