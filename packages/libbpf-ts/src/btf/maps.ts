import type { Btf } from './btf.ts';

/** The declaration of a map in the `.maps` section. A type id is 0 when the declaration does not name a type. */
export interface MapTypes {
  readonly name: string;
  /** enum bpf_map_type */
  readonly type: number;
  readonly key: number;
  readonly value: number;
}

/**
 * Returns the maps that an object declares as
 * `struct { __uint(type, …); __type(key, …); __type(value, …); } name SEC(".maps")`. `__uint` encodes a number as the
 * length of an array that the member points to; `__type` makes the member point to the type. Unlike libbpf's getters,
 * this keeps the key type of a map of maps.
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
