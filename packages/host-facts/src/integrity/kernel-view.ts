import { BpfObject } from '@ringfence/libbpf-ts';
import { READ_KERNEL, readProcesses, SNAPSHOT } from '@ringfence/sensor';
import { records } from '@ringfence/wire';

const PAGE = 4096;
const CONTEXT = 16;
const PROGRAMS: readonly string[] = [READ_KERNEL, SNAPSHOT];

/**
 * Reads kernel memory and processes through the sensor's own programs, which a manipulated /proc can't deceive. Many
 * machines have no /proc/kcore.
 */
export class KernelView implements Disposable {
  readonly #object: BpfObject;

  /** @param path the compiled sensor. Throws BpfError if the kernel rejects the programs */
  constructor(path: string) {
    this.#object = BpfObject.open(path);
    try {
      for (const program of this.#object.programs.values()) program.autoload = PROGRAMS.includes(program.name);
      for (const ring of ['rf_ring_security', 'rf_ring_bulk']) this.#object.definition(ring).resize(PAGE);
      this.#object.load();
    } catch (error) {
      this.#object[Symbol.dispose]();
      throw error;
    }
  }

  /** ids of the loaded programs */
  get programs(): readonly number[] {
    return PROGRAMS.map((name) => this.#object.program(name).id);
  }

  /** Returns the pids of all running processes. */
  tgids(): Set<number> {
    const { view, offsets } = readProcesses(this.#object.program(SNAPSHOT));
    return new Set(offsets.map((at) => records.headerTgid(view, at)));
  }

  /** Returns null if the address is not mapped, or if the kernel is locked down. */
  read(address: bigint, length: number): Buffer | null {
    const parts: Buffer[] = [];
    for (let at = 0; at < length; at += PAGE) {
      const part = this.#page(address + BigInt(at), Math.min(PAGE, length - at));
      if (part === null) return null;
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** Passes a struct rf_kernel_read of bpf/integrity.bpf.h as context. */
  #page(address: bigint, length: number): Buffer | null {
    const context = Buffer.alloc(CONTEXT);
    context.writeBigUInt64LE(address);
    context.writeUInt32LE(length, 8);
    context.writeInt32LE(-1, 12);
    const after = Buffer.from(this.#object.program(READ_KERNEL).run({ context }).context);
    if (after.readInt32LE(12) !== 0) return null;
    return Buffer.from(this.#object.map('rf_kernel_page').get(0) as Uint8Array).subarray(0, length);
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}
