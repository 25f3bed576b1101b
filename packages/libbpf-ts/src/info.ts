import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { Btf } from './btf/btf.ts';
import { BpfError, type BpfErrorCode } from './errors.ts';
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
/** bytes asked for: more than any kernel's struct bpf_{map,prog,link}_info that is read here */
const INFO_BYTES = 256;

export interface MapInfo {
  readonly id: number;
  readonly name: string;
  /** as bpftool writes it: `hash`, `percpu_array`, `ringbuf`, … */
  readonly type: string;
  readonly typeId: number;
  /** bytes */
  readonly keySize: number;
  /** bytes, of one CPU's value */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* given at creation */
  readonly flags: number;
  /** 0: none */
  readonly btfId: number;
  readonly keyType: number;
  readonly valueType: number;
}

export function mapInfo(fd: number, what: string): MapInfo {
  const view = info(fd, what, 'ERR_BPF_MAP');
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

/** The kernel's id of a program or link: unique while it lives, what `bpftool` shows. */
export function objectId(fd: number, what: string, code: BpfErrorCode): number {
  return info(fd, what, code).getUint32(4, true);
}

/** Instructions that the verifier went through for a program, each as often as a path led over it; the kernel's limit is a million. */
export function verifiedInstructions(fd: number, what: string): number {
  return info(fd, what, 'ERR_BPF_RUN').getUint32(216, true);
}

/** How often the kernel was to run a program and did not, because it was at BPF's work on that CPU already: at this program's, or at changing a map. */
export function recursionMisses(fd: number, what: string): number {
  return Number(info(fd, what, 'ERR_BPF_RUN').getBigUint64(208, true));
}

/** The id of the program that a link runs. */
export function linkProgramId(fd: number, what: string): number {
  return info(fd, what, 'ERR_BPF_LINK').getUint32(8, true);
}

/** false: somebody has taken a cgroup's link off its cgroup (BPF_LINK_DETACH), though it is still there. Other kinds of hooks can't be left that way. */
export function linkIsAttached(fd: number, what: string): boolean {
  const view = info(fd, what, 'ERR_BPF_LINK');
  return view.getUint32(0, true) !== LINK_TYPE_CGROUP || view.getBigUint64(16, true) !== 0n;
}

export interface ProgramInfo {
  readonly id: number;
  /** as bpftool writes it: `tracepoint`, `cgroup_skb`, … */
  readonly type: string;
  /** up to 15 characters; empty: none */
  readonly name: string;
  /** who loaded it */
  readonly uid: number;
}

const ENOENT = 2;

/** Every program that is loaded, ours or not. Needs CAP_SYS_ADMIN. @throws ERR_BPF_RUN */
export function* loadedPrograms(): Generator<ProgramInfo> {
  const next = new Uint32Array(1);
  for (let id = 0; ; ) {
    const more = checked('ERR_BPF_RUN', 'going through the loaded programs', 'bpf_prog_get_next_id', () => {
      const result = nextProgram(id, next);
      return result === -ENOENT ? 1 : result;
    });
    if (more === 1) return;
    id = next[0]!;
    const fd = programById(id);
    if (fd < 0) continue; // unloaded meanwhile
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

function info(fd: number, what: string, code: BpfErrorCode): DataView {
  const bytes = new Uint8Array(INFO_BYTES);
  const length = Uint32Array.of(INFO_BYTES);
  checked(code, `asking the kernel about ${what}`, 'bpf_obj_get_info_by_fd', () => objInfo(fd, bytes, length));
  return new DataView(bytes.buffer);
}

function text(view: DataView, at: number, size: number): string {
  const bytes = new Uint8Array(view.buffer, at, size);
  const end = bytes.indexOf(0);
  return new TextDecoder('latin1').decode(bytes.subarray(0, end < 0 ? size : end));
}

/** The types that the kernel keeps for a loaded map: what makes a pinned map readable without its object file. */
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

/** @param btf a `struct btf *` of libbpf */
export function copyBtf(btf: Pointer): Btf {
  const size = new Uint32Array(1);
  const data = btfRawData(btf, size);
  if (data === null) throw new BpfError('ERR_BPF_BTF', 'libbpf has no memory for the type information');
  return new Btf(new Uint8Array(koffi.view(data, size[0]!)).slice());
}
