import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { Btf } from './btf/btf.ts';
import { BpfError, type BpfErrorCode } from './errors.ts';
import { ENOENT } from './native/errno.ts';
import { bpf, type Handle, type Pointer } from './native/library.ts';
import { checked, checkedPointer } from './native/log.ts';

const objInfo: (fd: number, info: Uint8Array, length: Uint32Array) => number = bpf(
  'int bpf_obj_get_info_by_fd(int fd, void *info, void *length)',
);
const btfFromKernel: (id: number) => Handle = bpf('void *btf__load_from_kernel_by_id(uint32_t id)');
const btfRawData: (btf: Pointer, size: Uint32Array) => Handle = bpf('void *btf__raw_data(void *btf, void *size)');
const btfFree: (btf: Pointer) => void = bpf('void btf__free(void *btf)');
const nextProgram: (from: number, next: Uint32Array) => number = bpf(
  'int bpf_prog_get_next_id(uint32_t from, void *next)',
);
const programById: (id: number) => number = bpf('int bpf_prog_get_fd_by_id(uint32_t id)');
const programTypeName: (type: number) => string | null = bpf('const char *libbpf_bpf_prog_type_str(int type)');
const mapTypeName: (type: number) => string | null = bpf('const char *libbpf_bpf_map_type_str(int type)');

const LINK_TYPE_CGROUP = 3;
/** Bytes requested. Every field of struct bpf_{map,prog,link}_info that is read here lies within them. */
const INFO_BYTES = 256;

export interface MapInfo {
  readonly id: number;
  readonly name: string;
  /** bpftool's name of the type: `hash`, `percpu_array`, `ringbuf`, … */
  readonly type: string;
  readonly typeId: number;
  /** bytes */
  readonly keySize: number;
  /** bytes of the value of one CPU */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* given at creation */
  readonly flags: number;
  /** 0 when the map has no BTF */
  readonly btfId: number;
  readonly keyType: number;
  readonly valueType: number;
}

export function mapInfo(fd: number, label: string): MapInfo {
  const view = info(fd, label, 'ERR_BPF_MAP');
  const typeId = view.getUint32(0, true);
  return {
    typeId,
    type: nameOfMapType(typeId),
    id: view.getUint32(4, true),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: text(view, 24, 16),
    btfId: view.getUint32(64, true),
    keyType: view.getUint32(68, true),
    valueType: view.getUint32(72, true),
  };
}

export function nameOfMapType(type: number): string {
  return mapTypeName(type) ?? `type_${type}`;
}

/** Returns the kernel's id of a program or link, as shown by `bpftool`. It is unique while the object exists. */
export function objectId(fd: number, label: string, code: BpfErrorCode): number {
  return info(fd, label, code).getUint32(4, true);
}

/**
 * Returns the number of instructions that the verifier processed for a program. An instruction counts once per path.
 * The kernel's limit is one million.
 */
export function verifiedInstructions(fd: number, label: string): number {
  return info(fd, label, 'ERR_BPF_RUN').getUint32(216, true);
}

/**
 * Returns how often the kernel skipped a run of the program because BPF code (this program or an update of a map) was
 * already running on that CPU.
 */
export function recursionMisses(fd: number, label: string): number {
  return Number(info(fd, label, 'ERR_BPF_RUN').getBigUint64(208, true));
}

/** Returns the id of the program that a link runs. */
export function linkProgramId(fd: number, label: string): number {
  return info(fd, label, 'ERR_BPF_LINK').getUint32(8, true);
}

/**
 * Returns false for a cgroup link that was detached from its cgroup (BPF_LINK_DETACH) but still exists. Always returns
 * true for other hooks, whose links cannot be detached that way.
 */
export function linkIsAttached(fd: number, label: string): boolean {
  const view = info(fd, label, 'ERR_BPF_LINK');
  return view.getUint32(0, true) !== LINK_TYPE_CGROUP || view.getBigUint64(16, true) !== 0n;
}

export interface ProgramInfo {
  readonly id: number;
  /** bpftool's name of the type: `tracepoint`, `cgroup_skb`, … */
  readonly type: string;
  /** up to 15 characters; empty when the program has no name */
  readonly name: string;
  /** user that loaded the program */
  readonly uid: number;
}

/** Yields all programs loaded in the kernel, by any process. Needs CAP_SYS_ADMIN. @throws ERR_BPF_RUN */
export function* loadedPrograms(): Generator<ProgramInfo> {
  const next = new Uint32Array(1);
  for (let id = 0; ; ) {
    const more = checked('ERR_BPF_RUN', 'listing the loaded programs', 'bpf_prog_get_next_id', () => {
      const result = nextProgram(id, next);
      return result === -ENOENT ? 1 : result;
    });
    if (more === 1) return;
    id = next[0]!;
    const fd = programById(id);
    if (fd < 0) continue; // unloaded in the meantime
    try {
      const view = info(fd, `program ${id}`, 'ERR_BPF_RUN');
      const type = view.getUint32(0, true);
      yield {
        id,
        type: programTypeName(type) ?? `type_${type}`,
        name: text(view, 64, 16),
        uid: view.getUint32(48, true),
      };
    } finally {
      closeSync(fd);
    }
  }
}

function info(fd: number, label: string, code: BpfErrorCode): DataView {
  const bytes = new Uint8Array(INFO_BYTES);
  const length = Uint32Array.of(INFO_BYTES);
  checked(code, `reading the kernel's information about ${label}`, 'bpf_obj_get_info_by_fd', () =>
    objInfo(fd, bytes, length),
  );
  return new DataView(bytes.buffer);
}

function text(view: DataView, at: number, size: number): string {
  const bytes = new Uint8Array(view.buffer, at, size);
  const end = bytes.indexOf(0);
  return new TextDecoder('latin1').decode(bytes.subarray(0, end < 0 ? size : end));
}

/** Loads the types that the kernel keeps for a map, which make a pinned map readable without its object file. */
export function kernelBtf(id: number): Btf {
  const btf = checkedPointer('ERR_BPF_BTF', `loading BTF ${id} from the kernel`, 'btf__load_from_kernel_by_id', () =>
    btfFromKernel(id),
  );
  try {
    return copyBtf(btf);
  } finally {
    btfFree(btf);
  }
}

/** Copies libbpf's type information. @param btf a `struct btf *` of libbpf */
export function copyBtf(btf: Pointer): Btf {
  const size = new Uint32Array(1);
  const data = btfRawData(btf, size);
  if (data === null) throw new BpfError('ERR_BPF_BTF', 'libbpf has no memory for the type information');
  return new Btf(new Uint8Array(koffi.view(data, size[0]!)).slice());
}
