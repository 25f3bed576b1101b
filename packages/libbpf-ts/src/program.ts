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

/** A user statically-defined tracing (USDT) probe: a tracepoint compiled into a program or library. */
export interface UsdtOptions {
  /** executable or shared library */
  readonly path: string;
  readonly provider: string;
  readonly name: string;
  /** trace only this process. @default all processes */
  readonly pid?: number;
  /** value of bpf_usdt_cookie() in the program. @default 0 */
  readonly cookie?: bigint;
}

/** BPF_PROG_TYPE_TRACING of enum bpf_prog_type. */
const TYPE_TRACING = 26;
/** Values of enum bpf_attach_type. */
const TRACE = { fentry: 24, fexit: 25 } as const;

/** Sections of the hooks that libbpf attaches through a perf event. */
const ON_PERF_EVENT = /^(tracepoint|tp|k(ret)?probe|u(ret)?probe|usdt|perf_event)\b(?!\.multi)/;

export interface UprobeOptions {
  /** executable or shared library */
  readonly path: string;
  /** name of the function; required unless `offset` is set */
  readonly symbol?: string;
  /** bytes from the start of the symbol, or of the file without a symbol. @default 0 */
  readonly offset?: number;
  /** run when the function returns. @default false */
  readonly onReturn?: boolean;
  /** trace only this process. @default all processes */
  readonly pid?: number;
  /** value of bpf_get_attach_cookie() in the program. @default 0 */
  readonly cookie?: bigint;
  /**
   * file offset in bytes of a USDT probe's semaphore, which is incremented while the link exists.
   * @default 0 (no semaphore)
   */
  readonly semaphore?: number;
}

/** Restricts an iterator over tasks to a process or thread. */
export interface IteratorOptions {
  readonly tgid?: number;
  readonly tid?: number;
}

/** A BPF program of an object. */
export class BpfProgram {
  readonly handle: Pointer;
  readonly name: string;
  /** name of the ELF section, which identifies the hook */
  readonly section: string;
  /** false when the kernel is too old for this kind of hook */
  readonly hookKnown: boolean;
  readonly #links: Set<BpfLink>;
  #function: string | undefined;

  /**
   * Prefer `object.program(name)`.
   * @param links set of the object's links; each link stays in it until it is disposed of
   */
  constructor(handle: Pointer, links: Set<BpfLink>) {
    this.handle = handle;
    this.name = programName(handle);
    this.section = sectionName(handle);
    this.hookKnown = this.#declareNewer();
    this.#links = links;
  }

  /**
   * Sets the program type for a hook that libbpf 1.1 does not know, and disables autoload if the kernel does not
   * support the hook either.
   */
  #declareNewer(): boolean {
    const hook = newerHook(this.section);
    if (hook === undefined) return true;
    setType(this.handle, hook.type);
    setAttachType(this.handle, hook.attachType);
    const known = kernelKnows(hook);
    if (!known) setAutoload(this.handle, false);
    return known;
  }

  /** @throws ERR_BPF_USAGE before load, or if load skipped the program */
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

  /** instructions that the verifier processed, out of a limit of one million; 0 on kernels before 5.16 */
  get verifiedInstructions(): number {
    return verifiedInstructions(this.fd, `program '${this.name}'`);
  }

  /** How often the kernel skipped a run of the program: see `PinnedProgram`. */
  get recursionMisses(): number {
    return recursionMisses(this.fd, `program '${this.name}'`);
  }

  /** Whether load() loads the program. */
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

  /** Whether object.attach() attaches the program. */
  get autoattach(): boolean {
    return autoattach(this.handle);
  }

  set autoattach(attach: boolean) {
    setAutoattach(this.handle, attach);
  }

  /**
   * Makes a tracepoint program trace a kernel function instead. Call it before load. The program's context is then that
   * of fentry or fexit: the function's arguments, eight bytes each, and for fexit also the return value.
   * @throws ERR_BPF_NOT_FOUND when the kernel has no such function
   */
  traceFunction(name: string, when: keyof typeof TRACE): void {
    const change = (operation: string, call: () => number): number =>
      checked('ERR_BPF_NOT_FOUND', `making '${this.name}' trace the function ${name}`, operation, call);
    change('bpf_program__set_type', () => setType(this.handle, TYPE_TRACING));
    change('bpf_program__set_expected_attach_type', () => setAttachType(this.handle, TRACE[when]));
    change('bpf_program__set_attach_target', () => setAttachTarget(this.handle, 0, name));
    this.#function = name;
  }

  /** Attaches to the function set by `traceFunction`, else to the hook of the section (`tp/…`, `iter/…`, `usdt`, …). */
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

  /** @param cookie value of bpf_get_attach_cookie() in the program */
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
   * Compile the object with the header `usdt.bpf.h` of the system's libbpf: another version silently yields wrong
   * arguments. The link cannot be pinned.
   */
  attachUsdt(options: UsdtOptions): BpfLink {
    const { path, provider, name, pid = -1, cookie = 0n } = options;
    const fields = { sz: koffi.sizeof(UsdtOptions), usdt_cookie: cookie };
    return this.#link('bpf_program__attach_usdt', `${path}:${provider}:${name}`, () =>
      attachUsdt(this.handle, pid, path, provider, name, fields),
    );
  }

  /** Attaches an iterator program. `link.iterate()` then starts each run. */
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

  /** Runs the program once on the given input (BPF_PROG_TEST_RUN), for `syscall` programs and for tests. */
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
