import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { BpfError, usage } from './errors.ts';
import { objectId, recursionMisses, verifiedInstructions } from './info.ts';
import { BpfLink } from './link.ts';
import { bpf, type Handle, type Pointer } from './native/library.ts';
import { checked, checkedPointer } from './native/log.ts';
import { kernelKnows, newerHook } from './newer-hook.ts';
import { pin, removePin } from './pin.ts';
import { type RunInput, type RunResult, runProgram } from './program-run.ts';

const programName: (program: Pointer) => string = bpf('const char *bpf_program__name(void *program)');
const sectionName: (program: Pointer) => string = bpf('const char *bpf_program__section_name(void *program)');
const programFd: (program: Pointer) => number = bpf('int bpf_program__fd(void *program)');
const autoload: (program: Pointer) => boolean = bpf('bool bpf_program__autoload(void *program)');
const setAutoload: (program: Pointer, load: boolean) => number = bpf(
  'int bpf_program__set_autoload(void *program, bool load)',
);
const autoattach: (program: Pointer) => boolean = bpf('bool bpf_program__autoattach(void *program)');
const setAutoattach: (program: Pointer, attach: boolean) => void = bpf(
  'void bpf_program__set_autoattach(void *program, bool attach)',
);
const attach: (program: Pointer) => Handle = bpf('void *bpf_program__attach(void *program)');
const setType: (program: Pointer, type: number) => number = bpf('int bpf_program__set_type(void *program, int type)');
const setAttachType: (program: Pointer, type: number) => number = bpf(
  'int bpf_program__set_expected_attach_type(void *program, int type)',
);
const setAttachTarget: (program: Pointer, program_fd: number, name: string) => number = bpf(
  'int bpf_program__set_attach_target(void *program, int program_fd, const char *name)',
);
const attachTrace: (program: Pointer) => Handle = bpf('void *bpf_program__attach_trace(void *program)');
const attachCgroup: (program: Pointer, fd: number) => Handle = bpf(
  'void *bpf_program__attach_cgroup(void *program, int fd)',
);
const TracepointOptions = koffi.struct({ sz: 'size_t', bpf_cookie: 'uint64_t' });
const attachTracepoint: (program: Pointer, category: string, name: string, options: object) => Handle = bpf([
  'bpf_program__attach_tracepoint_opts',
  'void *',
  ['void *', 'const char *', 'const char *', koffi.pointer(TracepointOptions)],
]);
const attachRawTracepoint: (program: Pointer, name: string) => Handle = bpf(
  'void *bpf_program__attach_raw_tracepoint(void *program, const char *name)',
);
const attachXdp: (program: Pointer, ifindex: number) => Handle = bpf(
  'void *bpf_program__attach_xdp(void *program, int ifindex)',
);
const IterOptions = koffi.struct({ sz: 'size_t', link_info: 'void *', link_info_len: 'uint32_t' });
const UprobeOptions = koffi.struct({
  sz: 'size_t',
  ref_ctr_offset: 'size_t',
  bpf_cookie: 'uint64_t',
  retprobe: 'bool',
  func_name: 'const char *',
});
const attachIter: (program: Pointer, options: object | null) => Handle = bpf([
  'bpf_program__attach_iter',
  'void *',
  ['void *', koffi.pointer(IterOptions)],
]);
const attachUprobe: (program: Pointer, pid: number, path: string, offset: number, options: object) => Handle = bpf([
  'bpf_program__attach_uprobe_opts',
  'void *',
  ['void *', 'int', 'const char *', 'size_t', koffi.pointer(UprobeOptions)],
]);

const UsdtOptions = koffi.struct({ sz: 'size_t', usdt_cookie: 'uint64_t' });
const attachUsdt: (
  program: Pointer,
  pid: number,
  path: string,
  provider: string,
  name: string,
  options: object,
) => Handle = bpf([
  'bpf_program__attach_usdt',
  'void *',
  ['void *', 'int', 'const char *', 'const char *', 'const char *', koffi.pointer(UsdtOptions)],
]);

/** A probe that the authors of a program have put into it. */
export interface UsdtOptions {
  /** executable or shared library */
  readonly path: string;
  readonly provider: string;
  readonly name: string;
  /** only in this process. @default every process */
  readonly pid?: number;
  /** what bpf_usdt_cookie() says. @default 0 */
  readonly cookie?: bigint;
}

/** BPF_PROG_TYPE_TRACING, enum bpf_prog_type */
const TYPE_TRACING = 26;
/** enum bpf_attach_type */
const TRACE = { fentry: 24, fexit: 25 } as const;

/** Hooks that libbpf attaches to by a perf event. */
const ON_PERF_EVENT = /^(tracepoint|tp|k(ret)?probe|u(ret)?probe|usdt|perf_event)\b(?!\.multi)/;

export interface UprobeOptions {
  /** executable or shared library */
  readonly path: string;
  /** function name; or give `offset` */
  readonly symbol?: string;
  /** bytes from the start of the file, or of the symbol. @default 0 */
  readonly offset?: number;
  /** fire when the function returns. @default false */
  readonly onReturn?: boolean;
  /** only in this process. @default every process */
  readonly pid?: number;
  /** what bpf_get_attach_cookie() says. @default 0 */
  readonly cookie?: bigint;
  /** bytes from the start of the file of a USDT probe's semaphore, which is raised while the link lives. @default 0: it has none */
  readonly semaphore?: number;
}

/** Narrows an iterator over tasks. */
export interface IteratorOptions {
  readonly tgid?: number;
  readonly tid?: number;
}

/** A program of an object. */
export class BpfProgram {
  readonly handle: Pointer;
  readonly name: string;
  /** the ELF section, which says what it attaches to */
  readonly section: string;
  /** false: its kind of hook came with a newer kernel than this one */
  readonly hookKnown: boolean;
  readonly #links: Set<BpfLink>;
  #function: string | undefined;

  /** Prefer `object.program(name)`. @param links has each link until that is disposed of, at the latest with the object */
  constructor(handle: Pointer, links: Set<BpfLink>) {
    this.handle = handle;
    this.name = programName(handle);
    this.section = sectionName(handle);
    this.hookKnown = this.#declareNewer();
    this.#links = links;
  }

  /** Of a hook that this libbpf does not know: what it is, and not to be loaded where the kernel does not know it either. */
  #declareNewer(): boolean {
    const hook = newerHook(this.section);
    if (hook === undefined) return true;
    setType(this.handle, hook.type);
    setAttachType(this.handle, hook.attachType);
    const known = kernelKnows(hook);
    if (!known) setAutoload(this.handle, false);
    return known;
  }

  /** @throws ERR_BPF_USAGE before load, or when it was left out of the load */
  get fd(): number {
    const fd = programFd(this.handle);
    if (fd < 0) throw usage(`program '${this.name}' is not loaded`);
    return fd;
  }

  get loaded(): boolean {
    return programFd(this.handle) >= 0;
  }

  get id(): number {
    return objectId(this.fd, `program '${this.name}'`, 'ERR_BPF_RUN');
  }

  /** What the verifier's work came to, of a million instructions that it may be. 0: the kernel is older than 5.16. */
  get verifiedInstructions(): number {
    return verifiedInstructions(this.fd, `program '${this.name}'`);
  }

  /** How often the kernel was to run it and did not: see `PinnedProgram`. */
  get recursionMisses(): number {
    return recursionMisses(this.fd, `program '${this.name}'`);
  }

  /** Whether load() loads it. */
  get autoload(): boolean {
    return autoload(this.handle);
  }

  set autoload(load: boolean) {
    checked(
      'ERR_BPF_USAGE',
      `changing autoload of '${this.name}' (possible before load only)`,
      'bpf_program__set_autoload',
      () => setAutoload(this.handle, load),
    );
  }

  /** Whether object.attach() attaches it. */
  get autoattach(): boolean {
    return autoattach(this.handle);
  }

  set autoattach(attach: boolean) {
    setAutoattach(this.handle, attach);
  }

  /**
   * Before load: a program that belongs on a tracepoint by its section goes around a kernel function instead. Its context is then that of fentry or fexit:
   * the function's arguments, eight bytes each, and for fexit what it returned.
   * @throws ERR_BPF_NOT_FOUND when the kernel has no such function
   */
  traceFunction(name: string, when: keyof typeof TRACE): void {
    const change = (operation: string, call: () => number): number =>
      checked('ERR_BPF_NOT_FOUND', `putting '${this.name}' around ${name}`, operation, call);
    change('bpf_program__set_type', () => setType(this.handle, TYPE_TRACING));
    change('bpf_program__set_expected_attach_type', () => setAttachType(this.handle, TRACE[when]));
    change('bpf_program__set_attach_target', () => setAttachTarget(this.handle, 0, name));
    this.#function = name;
  }

  /** Attaches as the section says (`tp/…`, `tp_btf/…`, `raw_tp/…`, `iter/…`, `uprobe/…`, …), or `traceFunction` did. */
  attach(): BpfLink {
    if (this.#function !== undefined)
      return this.#link('bpf_program__attach_trace', this.#function, () => attachTrace(this.handle));
    return this.#link('bpf_program__attach', this.section, () => attach(this.handle));
  }

  /** @param cgroup path of a cgroup v2 directory */
  attachCgroup(cgroup: string): BpfLink {
    const fd = openDirectory(cgroup);
    try {
      return this.#link('bpf_program__attach_cgroup', cgroup, () => attachCgroup(this.handle, fd));
    } finally {
      closeSync(fd);
    }
  }

  /** @param cookie what bpf_get_attach_cookie() says */
  attachTracepoint(category: string, name: string, cookie = 0n): BpfLink {
    const fields = { sz: koffi.sizeof(TracepointOptions), bpf_cookie: cookie };
    return this.#link('bpf_program__attach_tracepoint_opts', `${category}:${name}`, () =>
      attachTracepoint(this.handle, category, name, fields),
    );
  }

  attachRawTracepoint(name: string): BpfLink {
    return this.#link('bpf_program__attach_raw_tracepoint', name, () => attachRawTracepoint(this.handle, name));
  }

  attachXdp(ifindex: number): BpfLink {
    return this.#link('bpf_program__attach_xdp', `interface ${ifindex}`, () => attachXdp(this.handle, ifindex));
  }

  attachUprobe(options: UprobeOptions): BpfLink {
    const { path, symbol, offset = 0, onReturn = false, pid = -1, cookie = 0n, semaphore = 0 } = options;
    const fields = {
      sz: koffi.sizeof(UprobeOptions),
      ref_ctr_offset: semaphore,
      bpf_cookie: cookie,
      retprobe: onReturn,
      func_name: symbol ?? null,
    };
    return this.#link('bpf_program__attach_uprobe_opts', `${path}:${symbol ?? offset}`, () =>
      attachUprobe(this.handle, pid, path, offset, fields),
    );
  }

  /**
   * The object must include the `bpf/usdt.bpf.h` that belongs to the system's libbpf: another version's gives wrong arguments, silently. Such a link can't
   * be pinned.
   */
  attachUsdt(options: UsdtOptions): BpfLink {
    const { path, provider, name, pid = -1, cookie = 0n } = options;
    const fields = { sz: koffi.sizeof(UsdtOptions), usdt_cookie: cookie };
    return this.#link('bpf_program__attach_usdt', `${path}:${provider}:${name}`, () =>
      attachUsdt(this.handle, pid, path, provider, name, fields),
    );
  }

  /** Each run is then started by `link.iterate()`. */
  attachIterator(options: IteratorOptions = {}): BpfLink {
    const { tgid = 0, tid = 0 } = options;
    if (tgid === 0 && tid === 0)
      return this.#link('bpf_program__attach_iter', this.section, () => attachIter(this.handle, null));
    // union bpf_iter_link_info.task: u32 tid, pid, pid_fd; padded to the union's 16 bytes
    const task = new Uint8Array(Uint32Array.of(tid, tgid, 0, 0).buffer);
    const fields = { sz: koffi.sizeof(IterOptions), link_info: task, link_info_len: task.length };
    return this.#link('bpf_program__attach_iter', `${this.section} of task ${tgid || tid}`, () =>
      attachIter(this.handle, fields),
    );
  }

  /** Runs it once, now, on given input (BPF_PROG_TEST_RUN): for `syscall` programs and for tests. */
  run(input: RunInput = {}): RunResult {
    return runProgram(this.fd, this.name, input);
  }

  pin(path: string): void {
    pin(this.fd, path, `program '${this.name}'`);
  }

  unpin(path: string): void {
    removePin(path, `program '${this.name}'`);
  }

  #link(operation: string, where: string, call: () => Handle): BpfLink {
    if (!this.loaded) throw usage(`program '${this.name}' is not loaded: call load() first`);
    const handle = checkedPointer('ERR_BPF_ATTACH', `attaching '${this.name}' to ${where}`, operation, call);
    const onPerfEvent = this.#function === undefined && ON_PERF_EVENT.test(this.section);
    return new BpfLink(handle, this.name, onPerfEvent, this.#links);
  }
}

function openDirectory(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const { errno = 0 } = cause as NodeJS.ErrnoException;
    throw new BpfError('ERR_BPF_ATTACH', `the cgroup ${path} can't be opened: ${(cause as Error).message}`, {
      operation: 'open',
      errno: Math.abs(errno),
      cause,
    });
  }
}
