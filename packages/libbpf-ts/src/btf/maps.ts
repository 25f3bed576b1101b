import type { Btf } from './btf.ts';

/** What the `.maps` section says about a map; type ids, 0 where it doesn't say. */
export interface MapTypes {
  readonly name: string;
  /** enum bpf_map_type */
  readonly type: number;
  readonly key: number;
  readonly value: number;
}

/**
 * Maps as `struct { __uint(type, …); __type(key, …); __type(value, …); } name SEC(".maps")` declares them: a number is the length of an array that
 * a member points to, a type is what a member points to. Unlike libbpf's getters this keeps the key type of a map of maps.
 */
export function mapTypes(btf: Btf): MapTypes[] {
  return (btf.find('section', '.maps')?.variables ?? []).map(({ type }) => {
    const variable = btf.type(type);
    const struct = btf.resolve(variable.kind === 'variable' ? variable.type : type);
    const members = struct.kind === 'struct' ? struct.members : [];
    const pointee = (name: string): number => {
      const member = members.find((candidate) => candidate.name === name);
      const pointer = member === undefined ? undefined : btf.resolve(member.type);
      return pointer?.kind === 'pointer' ? pointer.type : 0;
    };
    const kind = btf.resolve(pointee('type'));
    return {
      name: variable.name,
      type: kind.kind === 'array' ? kind.length : 0,
      key: pointee('key'),
      value: pointee('value'),
    };
  });
}
