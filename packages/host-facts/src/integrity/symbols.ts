import { readFileSync } from 'node:fs';

/** Maximum distance in bytes from a symbol of a module to an address that is attributed to the module. */
const DISTANCE_MAX = 1n << 16n;

interface Range {
  readonly begin: bigint;
  readonly end: bigint;
}

/** Names and addresses of the kernel's functions from /proc/kallsyms, which needs permission. */
export class Symbols {
  readonly #addresses = new Map<string, bigint>();
  readonly #names = new Map<bigint, string>();
  readonly #modules = new Map<string, bigint[]>();
  /** names of BPF programs and trampolines */
  readonly #bpf = new Map<bigint, string>();
  /** address ranges of the kernel's own code, including its init code, to which early exception handlers point */
  readonly #code: readonly Range[];

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [address = '', , name, module] = line.split(/\s+/);
      if (name === undefined) continue;
      const at = BigInt(`0x${address}`);
      if (module === undefined) {
        this.#addresses.set(name, at);
        if (!this.#names.has(at)) this.#names.set(at, name);
      } else {
        const key = module.slice(1, -1);
        const known = this.#modules.get(key);
        if (known === undefined) this.#modules.set(key, [at]);
        else known.push(at);
        if (key === 'bpf') this.#bpf.set(at, name);
      }
    }
    this.#code = [...this.#range('_stext', '_etext'), ...this.#range('_sinittext', '_einittext')];
  }

  #range(from: string, to: string): Range[] {
    const [begin, end] = [this.find(from), this.find(to)];
    return begin === undefined || end === undefined ? [] : [{ begin, end }];
  }

  static ofKernel(path = '/proc/kallsyms'): Symbols {
    return new Symbols(readFileSync(path, 'latin1'));
  }

  /** Why no addresses are available; empty if they are. */
  get hidden(): string {
    return this.find('_stext') ? '' : 'the kernel hides its addresses (kernel.kptr_restrict, or no CAP_SYSLOG)';
  }

  find(name: string): bigint | undefined {
    return this.#addresses.get(name);
  }

  /** Returns the name of the function that starts at an address. */
  at(address: bigint): string | undefined {
    return this.#names.get(address);
  }

  /** Iterates over the kernel's own functions whose names have a prefix. */
  *withPrefix(prefix: string): Generator<readonly [name: string, address: bigint]> {
    for (const entry of this.#addresses) if (entry[0].startsWith(prefix)) yield entry;
  }

  /** Names of everything that has symbols and is not the kernel itself: modules, and `bpf`. */
  get modules(): readonly string[] {
    return [...this.#modules.keys()];
  }

  /** Whether an address is a BPF trampoline. The programs behind it are covered by the check of BPF programs. */
  isTrampoline(address: bigint): boolean {
    return this.#bpf.get(address)?.startsWith('bpf_trampoline_') === true;
  }

  isKernelCode(address: bigint): boolean {
    return this.#code.some(({ begin, end }) => address >= begin && address < end);
  }

  /**
   * Describes an address for users: by the function's name, or else by its number and its owner: the BPF program or
   * trampoline that begins there, or the module that it is probably in. BPF code is allocated anywhere, so that a
   * symbol nearby says nothing.
   */
  describe(address: bigint): string {
    const name = this.at(address);
    if (name !== undefined) return name;
    const program = this.#bpf.get(address);
    if (program !== undefined) return `0x${address.toString(16)} (BPF code ${program})`;
    let nearest: { readonly module: string; readonly distance: bigint } | undefined;
    for (const [module, addresses] of this.#modules)
      for (const symbol of module === 'bpf' ? [] : addresses) {
        const distance = address - symbol;
        if (distance >= 0n && distance < DISTANCE_MAX && (nearest === undefined || distance < nearest.distance))
          nearest = { module, distance };
      }
    return `0x${address.toString(16)} (${nearest === undefined ? 'unknown owner' : `module ${nearest.module}`})`;
  }
}
