import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArgumentType, ProbeProblem, type TracepointTarget } from './types.ts';

export const EVENTS = '/sys/kernel/tracing/events';
/** BPF sees a tracepoint's record from this offset on. The header before it is not filled in. */
const FIELDS_START = 8;
/** Size of what BPF sees of a system call: its number and six arguments. */
const SYSCALL_BYTES = 64;

export interface TracepointField {
  readonly name: string;
  /** as the kernel declares it: `const char *`, `__u8[4]`, `__data_loc char[]` */
  readonly declared: string;
  /** in the record */
  readonly offset: number;
  /** bytes */
  readonly size: number;
  readonly signed: boolean;
  readonly is: 'number' | 'pointer' | 'array' | 'data_loc';
}

/**
 * Returns the fields of a tracepoint that a probe can fetch. @throws ProbeProblem if there is no such tracepoint, or if
 * tracefs can't be read
 */
export function tracepointFields({ category, name }: Pick<TracepointTarget, 'category' | 'name'>): TracepointField[] {
  const file = join(EVENTS, category, name, 'format');
  try {
    return parseFormat(readFileSync(file, 'latin1'), category);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    const reason = code === 'ENOENT' ? 'there is no such tracepoint on this kernel, or tracefs is not mounted' : code;
    throw new ProbeProblem(`tracepoint ${category}/${name}: ${reason} (${file})`);
  }
}

export function parseFormat(text: string, category: string): TracepointField[] {
  const lines = text.matchAll(/^\tfield:([^;]{1,512});\toffset:(\d{1,5});\tsize:(\d{1,5});\tsigned:([01]);/gm);
  return Array.from(lines, ([, declaration = '', offset, size, signed]) => {
    const [, type = '', name = '', array = ''] = /^(.*?)\s*(\w+)(\[[^\]]*\])?$/.exec(declaration) ?? [];
    const declared = `${type}${array}`;
    return { name, declared, offset: Number(offset), size: Number(size), signed: signed === '1', is: isOf(declared) };
  }).filter(({ name, offset, size, declared }) => {
    const visible = category !== 'syscalls' || (offset + size <= SYSCALL_BYTES && !declared.startsWith('__data_loc'));
    return name !== '' && offset >= FIELDS_START && visible && !declared.startsWith('__rel_loc');
  });
}

function isOf(declared: string): TracepointField['is'] {
  if (declared.startsWith('__data_loc')) return 'data_loc';
  if (declared.endsWith(']')) return 'array';
  return declared.endsWith('*') ? 'pointer' : 'number';
}

/** Returns the `type` that a probe most likely needs for a field. */
export function usualType({ declared, size, signed, is }: TracepointField): ArgumentType {
  if (is === 'pointer') return /\bchar \*$/.test(declared) ? 'string' : 'pointer';
  // An argument of a system call takes a whole register, whatever its type.
  if (/^(unsigned )?int$|^umode_t$/.test(declared)) return declared === 'int' ? 's32' : 'u32';
  if (is === 'number') return `${signed ? 's' : 'u'}${size * 8}` as ArgumentType;
  if (/\bchar\[/.test(declared)) return 'string';
  if (/addr.*v6|addr6/.test(declared) || (is === 'array' && size === 16)) return 'ipv6';
  return is === 'array' && size === 4 ? 'ipv4' : 'bytes';
}
