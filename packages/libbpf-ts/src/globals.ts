import koffi from 'koffi';
import type { Btf } from './btf/btf.ts';
import { type BtfValue, type Codec, codecFor } from './btf/codec.ts';
import { BpfError, disposed, usage } from './errors.ts';
import { MapDefinition } from './map-definition.ts';
import { bpf, type Handle, type Pointer } from './native/library.ts';
import { Mapping } from './native/mapping.ts';

const initialValue: (map: Pointer, size: BigUint64Array) => Handle = bpf(
  'void *bpf_map__initial_value(void *map, void *size)',
);
const mapFd: (map: Pointer) => number = bpf('int bpf_map__fd(void *map)');

export interface GlobalVariable {
  readonly name: string;
  /** bytes from the start of its section */
  readonly offset: number;
  /** bytes */
  readonly size: number;
  readonly codec: Codec<BtfValue>;
}

/**
 * A section of global variables (`.bss`, `.data`, `.rodata`). Before load it holds the object's initial values; after
 * load it is the kernel's memory, shared with the running programs. Load moves the bytes, so create views after it.
 */
export class GlobalSection implements Disposable {
  readonly name: string;
  readonly variables: ReadonlyMap<string, GlobalVariable>;
  readonly #map: Pointer;
  #buffer: ArrayBuffer;
  #mapping: Mapping | undefined;
  #readOnly = false;

  constructor(btf: Btf, map: Pointer, name: string) {
    this.name = name;
    this.#map = map;
    this.variables = variablesOf(btf, name);
    const size = new BigUint64Array(1);
    const address = initialValue(map, size);
    if (address === null) throw new BpfError('ERR_BPF_NOT_FOUND', `section '${name}' has no memory`);
    this.#buffer = koffi.view(address, Number(size[0]));
  }

  /**
   * Makes load reuse the section pinned at `path` with its current values. Without such a pin, load creates the section
   * with its initial values and pins it there. Use it to keep the counters and switches in `.bss` and `.data`.
   */
  pinAt(path: string): void {
    new MapDefinition(this.#map).pinAt(path);
  }

  /** Maps the kernel's memory. The object calls this right after load. */
  mapped(): void {
    const length = this.#buffer.byteLength;
    this.#readOnly = this.name.startsWith('.rodata');
    this.#mapping = new Mapping(mapFd(this.#map), `section '${this.name}'`, { length, writable: !this.#readOnly });
    this.#buffer.transfer(0);
    this.#buffer = this.#mapping.buffer;
  }

  get #live(): ArrayBuffer {
    if (this.#buffer.detached) throw disposed(`section '${this.name}'`);
    return this.#buffer;
  }

  get view(): DataView {
    return new DataView(this.#live);
  }

  /**
   * Returns a view of the variable's bytes, for example for an Int32Array that Atomics polls:
   * `const { buffer, byteOffset } = section.bytes('flag')`.
   */
  bytes(name: string): Uint8Array<ArrayBuffer> {
    const { offset, size } = this.variable(name);
    return new Uint8Array(this.#live, offset, size);
  }

  /** Returns a view of a variable as 32-bit integers, for Atomics. */
  int32(name: string): Int32Array<ArrayBuffer> {
    const { offset, size } = this.variable(name);
    return new Int32Array(this.#live, offset, Math.floor(size / 4));
  }

  get(name: string): BtfValue {
    const { codec, offset } = this.variable(name);
    return codec.read(this.view, offset);
  }

  /** @throws ERR_BPF_USAGE for `.rodata` after load: the verifier has already used the values as constants */
  set(name: string, value: BtfValue): void {
    const { codec, offset } = this.variable(name);
    if (this.#readOnly) throw usage(`'${name}' is constant after load: set it before load()`);
    codec.write(this.view, offset, value);
  }

  variable(name: string): GlobalVariable {
    const variable = this.variables.get(name);
    if (variable === undefined)
      throw new BpfError('ERR_BPF_NOT_FOUND', `section '${this.name}' has no variable '${name}'`);
    return variable;
  }

  /** Call this before the object is closed, which frees the initial values. */
  [Symbol.dispose](): void {
    if (this.#mapping !== undefined) this.#mapping[Symbol.dispose]();
    else if (!this.#buffer.detached) this.#buffer.transfer(0);
  }
}

function variablesOf(btf: Btf, section: string): Map<string, GlobalVariable> {
  const variables = new Map<string, GlobalVariable>();
  for (const { type, offset, size } of btf.find('section', section)?.variables ?? []) {
    const name = btf.type(type).name;
    variables.set(name, { name, offset, size, codec: codecFor(btf, type) });
  }
  return variables;
}

/** Returns an object with one property per variable of all sections: `object.globals.target_pid = 42`. */
export function globalsOf(sections: Iterable<GlobalSection>): object {
  const globals: object = Object.create(null);
  for (const section of sections) {
    for (const name of section.variables.keys()) {
      Object.defineProperty(globals, name, {
        enumerable: true,
        get: () => section.get(name),
        set: (value: BtfValue) => section.set(name, value),
      });
    }
  }
  return Object.preventExtensions(globals);
}
