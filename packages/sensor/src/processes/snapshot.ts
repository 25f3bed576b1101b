import type { BpfProgram } from '@ringfence/libbpf-ts';
import { decodeText, records } from '@ringfence/wire';
import { isSound } from '../records/record-check.ts';
import type { RecordSource } from '../records/transcode.ts';

/** nsfs inodes of a process's namespaces. */
export interface ProcessNamespaces {
  readonly mount: number;
  readonly pid: number;
  readonly user: number;
}

/** A process as the sensor's iterator reports it. */
export interface ProcessFacts {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: bigint;
  readonly parentTgid: number;
  /** path of the executable; empty for a kernel thread */
  readonly executable: string;
  /** id of its cgroup in the v2 hierarchy */
  readonly cgroup: bigint;
  readonly namespaces: ProcessNamespaces;
}

/** The valid records (struct rf_exec) of one read of the iterator. */
export interface Snapshot extends RecordSource {
  /** start of each record, oldest process first */
  readonly offsets: readonly number[];
}

/** Reads all running processes, or one of them. */
export function readProcesses(program: BpfProgram, options: { readonly tgid?: number } = {}): Snapshot {
  using link = program.attachIterator(options);
  using iterator = link.iterate();
  const bytes = iterator.readAll();
  return parseSnapshot(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

export function parseSnapshot(bytes: Buffer): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const offsets: number[] = [];
  for (let at = 0; at + records.SIZEOF_HEADER <= bytes.length; ) {
    const size = records.headerSize(view, at);
    if (size < records.SIZEOF_HEADER || size > bytes.length - at) break;
    if (records.headerKind(view, at) === records.Kind.EXEC && isSound(view, at, size)) offsets.push(at);
    at += size;
  }
  const start = (at: number): bigint => bytes.readBigUInt64LE(at + records.HEADER_START);
  offsets.sort((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0));
  return { view, bytes, offsets };
}

/** Reads the facts of the record at `at`. */
export function factsAt({ view, bytes }: RecordSource, at: number): ProcessFacts {
  const text = at + records.EXEC_PATH;
  const path = at + records.textOffset(view, text);
  return {
    tgid: records.headerTgid(view, at),
    start: bytes.readBigUInt64LE(at + records.HEADER_START),
    parentTgid: records.execParentTgid(view, at),
    executable: decodeText(bytes, path, path + records.textKept(view, text)),
    cgroup: bytes.readBigUInt64LE(at + records.HEADER_CGROUP),
    namespaces: namespacesAt(view, at),
  };
}

/** Reads the namespaces of the record (struct rf_exec) at `at`. */
export function namespacesAt(view: DataView, at: number): ProcessNamespaces {
  const namespaces = at + records.EXEC_NAMESPACES;
  return {
    mount: records.namespacesMnt(view, namespaces),
    pid: records.namespacesPid(view, namespaces),
    user: records.namespacesUser(view, namespaces),
  };
}
