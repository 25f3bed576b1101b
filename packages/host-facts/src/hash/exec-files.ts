/** The files in a record of an exec (struct rf_exec): the executable, and the script if there is one. */
import type { RecordSource } from '@ringfence/sensor';
import { records } from '@ringfence/wire';
import type { HashRequest } from './types.ts';

/** Offsets of a file's device, inode, ctime (directly after the inode) and path. */
interface FileOffsets {
  readonly device: number;
  readonly inode: number;
  readonly ctime: number;
  readonly path: number;
}

export const EXECUTABLE: FileOffsets = {
  device: records.EXEC_DEVICE,
  inode: records.EXEC_INODE,
  ctime: records.EXEC_CTIME,
  path: records.EXEC_PATH,
};
export const SCRIPT: FileOffsets = {
  device: records.EXEC_SCRIPT_DEVICE,
  inode: records.EXEC_SCRIPT_INODE,
  ctime: records.EXEC_SCRIPT_CTIME,
  path: records.EXEC_SCRIPT,
};

/** Identity and path of a file in the record at `at`. */
export interface ExecFile {
  readonly device: number;
  readonly inode: bigint;
  readonly ctime: bigint;
  readonly path: Buffer;
  readonly pathLength: number;
}

/** Returns a key of device, inode and ctime, or null if the record has no such file. Runs for every exec. */
export function fileKey({ view, bytes }: RecordSource, at: number, offsets: FileOffsets): string | null {
  const inodeAt = at + offsets.inode;
  if (view.getUint32(inodeAt, true) === 0 && view.getUint32(inodeAt + 4, true) === 0) return null;
  return `${view.getUint32(at + offsets.device, true)} ${bytes.toString('latin1', inodeAt, at + offsets.ctime + 8)}`;
}

export function readFile({ view, bytes }: RecordSource, at: number, offsets: FileOffsets): ExecFile {
  const text = at + offsets.path;
  const start = at + records.textOffset(view, text);
  // Not from the buffer pool: posting a slice of the pool to the thread would copy the whole pool, 64 KiB per file.
  const path = Buffer.allocUnsafeSlow(records.textKept(view, text));
  bytes.copy(path, 0, start, start + path.length);
  return {
    device: view.getUint32(at + offsets.device, true),
    inode: view.getBigUint64(at + offsets.inode, true),
    ctime: view.getBigUint64(at + offsets.ctime, true),
    path,
    pathLength: records.textLength(view, text),
  };
}

export function readExecId({ view }: RecordSource, at: number): number {
  return records.headerExecIdHi(view, at) * 2 ** 32 + records.headerExecIdLo(view, at);
}

/** Makes the request to hash a file of the record at `at`. */
export function hashRequest(
  { view }: RecordSource,
  at: number,
  file: ExecFile,
  { id, isScript }: { readonly id: number; readonly isScript: boolean },
): HashRequest {
  return {
    id,
    device: file.device,
    inode: file.inode,
    ctime: file.ctime,
    mtime: view.getBigUint64(at + records.EXEC_MTIME, true),
    pid: records.headerTgid(view, at),
    parentPid: records.execParentTgid(view, at),
    mountNamespace: records.namespacesMnt(view, at + records.EXEC_NAMESPACES),
    path: file.path,
    lowPriority: records.execSnapshot(view, at) !== 0,
    memory: !isScript && (records.execFlags(view, at) & records.ExecFlag.EXEC_MEMFD) !== 0,
  };
}
