import { readFileSync } from 'node:fs';
import { elfSection } from '../elf.ts';
import { BpfError } from '../errors.ts';
import { parseBtf } from './parse.ts';
import type { BtfKind, BtfOf, BtfType } from './types.ts';

/** Limit on a chain of typedefs and qualifiers. Compilers emit far shorter chains; a longer chain is a loop. */
const MAX_DEPTH = 64;

/** The BTF types of an object file or of the kernel. */
export class Btf {
  /** indexed by type id */
  readonly types: readonly BtfType[];

  constructor(bytes: Uint8Array) {
    this.types = parseBtf(bytes);
  }

  /**
   * Reads the .BTF section of a compiled object.
   * @throws ERR_BPF_BTF when the object has no such section (compile with -g)
   */
  static fromObject(path: string): Btf {
    const bytes = readFileSync(path);
    const section = elfSection(bytes, '.BTF');
    if (section === undefined) throw new BpfError('ERR_BPF_BTF', `${path} has no type information: compile it with -g`);
    return new Btf(section);
  }

  type(id: number): BtfType {
    const type = this.types[id];
    if (type === undefined)
      throw new BpfError('ERR_BPF_BTF', `no BTF type has id ${id}: the last id is ${this.types.length - 1}`);
    return type;
  }

  /** Returns the type behind typedefs, qualifiers and type tags. */
  resolve(id: number): BtfType {
    let type = this.type(id);
    for (let depth = 0; type.kind === 'typedef' || type.kind === 'modifier'; depth++) {
      if (depth === MAX_DEPTH) throw new BpfError('ERR_BPF_BTF', `type ${id} refers to itself`);
      type = this.type(type.type);
    }
    return type;
  }

  find<K extends BtfKind>(kind: K, name: string): BtfOf<K> | undefined {
    return this.types.find((type): type is BtfOf<K> => type.kind === kind && type.name === name);
  }

  all<K extends BtfKind>(kind: K): BtfOf<K>[] {
    return this.types.filter((type): type is BtfOf<K> => type.kind === kind);
  }

  /** Returns the bytes that a value of this type takes. */
  sizeOf(id: number, depth = 0): number {
    if (depth > MAX_DEPTH) throw new BpfError('ERR_BPF_BTF', `type ${id} refers to itself`);
    const type = this.resolve(id);
    switch (type.kind) {
      case 'int':
      case 'float':
      case 'enum':
      case 'struct':
      case 'union':
      case 'section':
        return type.size;
      case 'pointer':
        return 8;
      case 'array':
        return type.length * this.sizeOf(type.type, depth + 1);
      case 'variable':
        return this.sizeOf(type.type, depth + 1);
      default:
        return 0;
    }
  }
}
