import type { Btf } from './btf.ts';
import { mapTypes } from './maps.ts';

const PERCPU: ReadonlySet<number> = new Set([5, 6, 10, 21]);
/** Limit on struct nesting, far above the nesting of any map value; deeper values are typed as Uint8Array. */
const MAX_DEPTH = 16;

/**
 * Emits a TypeScript interface for {@link BpfObject} from an object's BTF: the names and types of its maps, global
 * variables and programs.
 *
 * ```ts
 * writeFileSync('probe.skeleton.ts', emitSkeleton(Btf.fromObject('probe.bpf.o'), 'Probe'));
 * const object = BpfObject.open<Probe>('probe.bpf.o');
 * ```
 */
export function emitSkeleton(btf: Btf, name: string): string {
  const maps = mapTypes(btf).map((map) => {
    const value = typeName(btf, map.value, 2);
    return `    readonly ${map.name}: { readonly key: ${typeName(btf, map.key, 2)}; readonly value: ${PERCPU.has(map.type) ? `readonly (${value})[]` : value} };`;
  });
  return [
    `export interface ${name} {`,
    '  readonly maps: {',
    ...maps,
    '  };',
    '  readonly globals: {',
    ...globals(btf),
    '  };',
    `  readonly program: ${programs(btf)};`,
    '}',
    '',
  ].join('\n');
}

function globals(btf: Btf): string[] {
  return btf
    .all('section')
    .filter(({ name }) => /^\.(bss|data|rodata)/.test(name))
    .flatMap(({ variables }) => variables)
    .map(({ type }) => {
      const variable = btf.type(type);
      return `    ${variable.name}: ${typeName(btf, variable.kind === 'variable' ? variable.type : type, 2)};`;
    });
}

/** Returns the union of all global functions. BTF does not distinguish programs from functions that programs call. */
function programs(btf: Btf): string {
  const names = btf.all('function').map(({ name }) => `'${name}'`);
  return names.length === 0 ? 'never' : names.join(' | ');
}

function typeName(btf: Btf, id: number, depth: number): string {
  if (id === 0 || depth > MAX_DEPTH) return 'Uint8Array';
  const type = btf.resolve(id);
  switch (type.kind) {
    case 'int':
      if (type.bool) return 'boolean';
      return type.size > 8 ? 'Uint8Array' : type.size === 8 ? 'bigint' : 'number';
    case 'enum':
      return type.size === 8 ? 'bigint' : 'number';
    case 'float':
      return 'number';
    case 'pointer':
      return 'bigint';
    case 'array': {
      const element = btf.resolve(type.type);
      if (element.kind === 'int' && element.size === 1 && !element.bool) return 'Uint8Array';
      return `readonly (${typeName(btf, type.type, depth + 1)})[]`;
    }
    case 'struct':
    case 'union':
      return `{ ${members(btf, type.members, depth)} }`;
    default:
      return 'Uint8Array';
  }
}

function members(
  btf: Btf,
  list: readonly { readonly name: string; readonly type: number; readonly bitSize: number }[],
  depth: number,
): string {
  return list
    .map((member) => {
      const type = btf.resolve(member.type);
      if (member.bitSize > 32) return `readonly ${member.name}: bigint`;
      if (member.bitSize > 0) return `readonly ${member.name}: number`;
      if (member.name === '' && (type.kind === 'struct' || type.kind === 'union'))
        return members(btf, type.members, depth + 1);
      return `readonly ${member.name}: ${typeName(btf, member.type, depth + 1)}`;
    })
    .join('; ');
}
