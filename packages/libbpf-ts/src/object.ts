import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import koffi from 'koffi';
import type { Btf } from './btf/btf.ts';
import type { BtfValue } from './btf/codec.ts';
import { mapTypes } from './btf/maps.ts';
import { BpfError, BpfLoadError, describeErrno, disposed, usage } from './errors.ts';
import { GlobalSection, globalsOf } from './globals.ts';
import { copyBtf } from './info.ts';
import type { BpfLink } from './link.ts';
import { BpfMap } from './map.ts';
import { MapDefinition, type NextHandle, walk } from './map-definition.ts';
import { bpf, type Handle, type Pointer } from './native/library.ts';
import { capture, checkedPointer } from './native/log.ts';
import { BpfProgram } from './program.ts';
import { objectFromSkeleton } from './skeleton-header.ts';
import { verifierLog } from './verifier-log.ts';

const objectLoad: (object: Pointer) => number = bpf('int bpf_object__load(void *object)');
const objectClose: (object: Pointer) => void = bpf('void bpf_object__close(void *object)');
const objectBtf: (object: Pointer) => Handle = bpf('void *bpf_object__btf(void *object)');
const nextMap: NextHandle = bpf('void *bpf_object__next_map(void *object, void *before)');
const nextProgram: NextHandle = bpf('void *bpf_object__next_program(void *object, void *before)');
const findMap: (object: Pointer, name: string) => Handle = bpf(
  'void *bpf_object__find_map_by_name(void *object, const char *name)',
);
const mapFd: (map: Pointer) => number = bpf('int bpf_map__fd(void *map)');
const isInternal: (map: Pointer) => boolean = bpf('bool bpf_map__is_internal(void *map)');

const OpenOptions = koffi.struct({
  sz: 'size_t',
  object_name: 'const char *',
  relaxed_maps: 'bool',
  pin_root_path: 'const char *',
  unused: 'uint32_t',
  kconfig: 'const char *',
  btf_custom_path: 'const char *',
  kernel_log_buf: 'void *',
  kernel_log_size: 'size_t',
  kernel_log_level: 'uint32_t',
});
const openFile: (path: string, options: object) => Handle = bpf([
  'bpf_object__open_file',
  'void *',
  ['const char *', koffi.pointer(OpenOptions)],
]);
const openMem: (bytes: Uint8Array, size: number, options: object) => Handle = bpf([
  'bpf_object__open_mem',
  'void *',
  ['void *', 'size_t', koffi.pointer(OpenOptions)],
]);

export interface OpenOptions {
  /** prefix of the names of the object's global maps. @default the file's name */
  readonly name?: string;
  /** where maps declared with LIBBPF_PIN_BY_NAME are pinned. @default /sys/fs/bpf */
  readonly pinRoot?: string;
  /** path of the kernel's BTF, for a kernel that does not include it (see BTFHub) */
  readonly kernelBtf?: string;
  /** lines `CONFIG_X=y` that add to the kernel's configuration, for extern CONFIG_X variables */
  readonly kconfig?: string;
}

/** The names and types of an object's maps, globals and programs. `emitSkeleton` generates it from the object's BTF. */
export interface Skeleton {
  readonly maps: { readonly [name: string]: { readonly key: unknown; readonly value: unknown } };
  readonly globals: object;
  readonly program: string;
}

export interface AnySkeleton extends Skeleton {
  readonly maps: { readonly [name: string]: { readonly key: BtfValue; readonly value: BtfValue } };
  readonly globals: { [name: string]: BtfValue };
}

/** A compiled BPF object. Open it, set constants and map sizes, load it, then attach its programs. */
export class BpfObject<S extends Skeleton = AnySkeleton> implements Disposable {
  readonly name: string;
  readonly btf: Btf | undefined;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  /** map definitions of the object, without the maps of global variables */
  readonly definitions: ReadonlyMap<string, MapDefinition>;
  readonly sections: ReadonlyMap<string, GlobalSection>;
  /** one property per global variable: set constants before load; read and write the others after it */
  readonly globals: S['globals'];
  /** links that were attached and not disposed of */
  readonly links: ReadonlySet<BpfLink>;
  readonly #links = new Set<BpfLink>();
  readonly #maps = new Map<string, BpfMap>();
  #handle: Handle;
  #state: 'opened' | 'loaded' | 'failed' = 'opened';

  private constructor(handle: Pointer, name: string) {
    this.#handle = handle;
    this.name = name;
    this.links = this.#links;
    const btf = objectBtf(handle);
    this.btf = btf === null ? undefined : copyBtf(btf);
    this.programs = byName(walk(nextProgram, handle), (at) => new BpfProgram(at, this.#links));
    const maps = [...walk(nextMap, handle)].filter((at) => !isInternal(at));
    this.definitions = byName(maps, (at) => new MapDefinition(at));
    this.sections = this.#openSections(handle);
    this.globals = globalsOf(this.sections.values());
  }

  /** @param path object file compiled by `clang -target bpf -g`. @throws ERR_BPF_OPEN */
  static open<S extends Skeleton = AnySkeleton>(path: string, options: OpenOptions = {}): BpfObject<S> {
    const name = options.name ?? basename(path).replace(/(\.bpf)?\.o$/, '');
    return BpfObject.#create<S>(name, `opening ${path}`, 'bpf_object__open_file', options, (opts) =>
      openFile(path, opts),
    );
  }

  /** @param bytes content of an object file. @throws ERR_BPF_OPEN */
  static openMemory<S extends Skeleton = AnySkeleton>(bytes: Uint8Array, options: OpenOptions = {}): BpfObject<S> {
    const name = options.name ?? 'object';
    return BpfObject.#create<S>(name, `opening object '${name}'`, 'bpf_object__open_mem', options, (opts) =>
      openMem(bytes, bytes.length, opts),
    );
  }

  /** @param path C skeleton generated by `bpftool gen skeleton`. @throws ERR_BPF_OPEN */
  static openSkeleton<S extends Skeleton = AnySkeleton>(path: string, options: OpenOptions = {}): BpfObject<S> {
    const { name, bytes } = objectFromSkeleton(readFileSync(path, 'latin1'));
    return BpfObject.openMemory<S>(bytes, { name, ...options });
  }

  static #create<S extends Skeleton>(
    name: string,
    action: string,
    operation: string,
    options: OpenOptions,
    open: (options: object) => Handle,
  ): BpfObject<S> {
    const fields = {
      sz: koffi.sizeof(OpenOptions),
      object_name: name,
      relaxed_maps: false,
      pin_root_path: options.pinRoot ?? null,
      unused: 0,
      kconfig: options.kconfig ?? null,
      btf_custom_path: options.kernelBtf ?? null,
      kernel_log_buf: null,
      kernel_log_size: 0,
      kernel_log_level: 0,
    };
    const handle = checkedPointer('ERR_BPF_OPEN', action, operation, () => open(fields));
    try {
      return new BpfObject<S>(handle, name);
    } catch (error) {
      objectClose(handle);
      throw error;
    }
  }

  /**
   * Creates the maps and loads the programs, which the kernel verifies. After a failure the object is unusable: open it
   * again, for example with `autoload = false` on the program that was refused.
   * @throws BpfLoadError with the whole verifier log
   */
  load(): this {
    const handle = this.#live;
    if (this.#state !== 'opened') throw usage(`object '${this.name}' was already loaded: open it again`);
    const { result, log } = capture(() => objectLoad(handle));
    this.#state = result < 0 ? 'failed' : 'loaded';
    if (result < 0) throw this.#refused(-result, log);
    for (const section of this.sections.values()) section.mapped();
    return this;
  }

  #refused(errno: number, log: readonly string[]): BpfLoadError {
    const { program, text } = verifierLog(log);
    const where = program === undefined ? '' : ` at program '${program}'`;
    return new BpfLoadError(
      `loading object '${this.name}' failed${where}: ${describeErrno(errno)}\n${log.join('\n')}`,
      {
        operation: 'bpf_object__load',
        errno,
        log,
        program,
        verifierLog: text,
      },
    );
  }

  /** Attaches all loaded programs whose section names the hook. If attaching one fails, detaches the others again. */
  attach(): ReadonlySet<BpfLink> {
    if (this.#state !== 'loaded') throw usage(`object '${this.name}' is not loaded: call load() first`);
    const attached: BpfLink[] = [];
    try {
      for (const program of this.programs.values()) {
        if (program.loaded && program.autoattach && attachable(program.section)) attached.push(program.attach());
      }
    } catch (error) {
      for (const link of attached) link[Symbol.dispose]();
      throw error;
    }
    return this.#links;
  }

  program(name: S['program']): BpfProgram {
    return found(this.programs.get(name), `object '${this.name}' has no program '${name}'`);
  }

  /** Returns the definition of a map, to change its size or pin path or to reuse a map. Use it before load. */
  definition(name: keyof S['maps'] & string): MapDefinition {
    return found(this.definitions.get(name), `object '${this.name}' has no map '${name}'`);
  }

  /** Returns a map in the kernel. Use it after load. The map is disposed of with the object. */
  map<N extends keyof S['maps'] & string>(name: N): BpfMap<S['maps'][N]['key'], S['maps'][N]['value']> {
    let map = this.#maps.get(name);
    if (map === undefined) {
      map = this.#openMap(this.definition(name));
      this.#maps.set(name, map);
    }
    return map as BpfMap as BpfMap<S['maps'][N]['key'], S['maps'][N]['value']>;
  }

  section(name: string): GlobalSection {
    return found(this.sections.get(name), `object '${this.name}' has no section '${name}'`);
  }

  /** Detaches all links that are not pinned, unmaps memory and closes the object. */
  [Symbol.dispose](): void {
    const handle = this.#handle;
    if (handle === null) return;
    this.#handle = null;
    for (const link of this.#links) link[Symbol.dispose]();
    for (const map of this.#maps.values()) map[Symbol.dispose]();
    for (const section of this.sections.values()) section[Symbol.dispose]();
    objectClose(handle);
  }

  get #live(): Pointer {
    if (this.#handle === null) throw disposed(`object '${this.name}'`);
    return this.#handle;
  }

  #openMap(definition: MapDefinition): BpfMap {
    void this.#live;
    const fd = mapFd(definition.handle);
    if (fd < 0) throw usage(`map '${definition.name}' does not exist yet: call load() first`);
    const types = this.btf && mapTypes(this.btf).find(({ name }) => name === definition.name);
    return new BpfMap(fd, false, types && this.btf && { btf: this.btf, key: types.key, value: types.value });
  }

  #openSections(handle: Pointer): Map<string, GlobalSection> {
    const sections = new Map<string, GlobalSection>();
    for (const { name } of this.btf?.all('section') ?? []) {
      const map = /^\.(bss|data|rodata)/.test(name) ? findMap(handle, name) : null;
      if (map !== null && this.btf !== undefined) sections.set(name, new GlobalSection(this.btf, map, name));
    }
    return sections;
  }
}

/** Kinds of sections that name the hook. Attach other programs (cgroup, xdp, tc, …) explicitly: they need a target. */
const selfAttaching: ReadonlySet<string> = new Set(
  (
    'tp tracepoint tp_btf raw_tp raw_tracepoint kprobe kretprobe ksyscall kretsyscall uprobe uretprobe usdt fentry fexit ' +
    'fmod_ret lsm iter'
  ).split(' '),
);

function attachable(section: string): boolean {
  const [kind = '', hook] = section.replace(/^\?/, '').split('/');
  return hook !== undefined && selfAttaching.has(kind.split('.')[0] ?? '');
}

function byName<T extends { readonly name: string }>(
  handles: Iterable<Pointer>,
  make: (handle: Pointer) => T,
): Map<string, T> {
  return new Map(Array.from(handles, make).map((item) => [item.name, item]));
}

function found<T>(item: T | undefined, message: string): T {
  if (item === undefined) throw new BpfError('ERR_BPF_NOT_FOUND', message);
  return item;
}
