import { readFileSync } from 'node:fs';

interface Range {
  readonly begin: bigint;
  readonly end: bigint;
}

/** Names and addresses of the kernel's functions, as /proc/kallsyms gives them to those who may see them. */
export class Symbols {
  readonly #addresses = new Map<string, bigint>();
  readonly #names = new Map<bigint, string>();
  readonly #modules = new Map<string, bigint[]>();
  readonly #trampolines = new Set<bigint>();
  /** where the kernel's own code lies, that of its start (which early exception handlers point at) too */
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
        if (key === 'bpf' && name.startsWith('bpf_trampoline_')) this.#trampolines.add(at);
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

  /** Why addresses can't be told; empty: they can. */
  get hidden(): string {
    return this.find('_stext') ? '' : 'the kernel hides its addresses (kernel.kptr_restrict, or no CAP_SYSLOG)';
  }

  find(name: string): bigint | undefined {
    return this.#addresses.get(name);
  }

  /** The name of what begins there. */
  at(address: bigint): string | undefined {
    return this.#names.get(address);
  }

  /** Of the kernel itself, whose names begin like that. */
  *beginning(prefix: string): Generator<readonly [name: string, address: bigint]> {
    for (const entry of this.#addresses) if (entry[0].startsWith(prefix)) yield entry;
  }

  /** Names of what has symbols and is not the kernel itself: modules, and `bpf`. */
  get modules(): readonly string[] {
    return [...this.#modules.keys()];
  }

  /** BPF's own way to the programs at a function's entry: who they are, the check of BPF programs says. */
  isTrampoline(address: bigint): boolean {
    return this.#trampolines.has(address);
  }

  isKernelCode(address: bigint): boolean {
    return this.#code.some(({ begin, end }) => address >= begin && address < end);
  }

  /** A name for an address, for people: of the module it may be in, or the number. BPF's code comes and goes, and says nothing of what lies beside it. */
  describe(address: bigint): string {
    const own = this.at(address);
    if (own !== undefined) return own;
    let nearest: { readonly module: string; readonly distance: bigint } | undefined;
    for (const [module, addresses] of this.#modules)
      for (const one of module === 'bpf' ? [] : addresses) {
        const distance = address - one;
        if (distance >= 0n && distance < NEAR && (nearest === undefined || distance < nearest.distance))
          nearest = { module, distance };
      }
    return `0x${address.toString(16)}${nearest === undefined ? '' : ` (module ${nearest.module})`}`;
  }
}

/** bytes behind a symbol of a module that are taken for a part of it */
const NEAR = 1n << 16n;
