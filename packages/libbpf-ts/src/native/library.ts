import koffi, { type LibraryHandle, type TypeObject } from 'koffi';
import { BpfError } from '../errors.ts';

/** An address in native memory. */
export type Pointer = bigint;
export type Handle = Pointer | null;

let libbpf: LibraryHandle | undefined;
let libc: LibraryHandle | undefined;

function libraryMissing(cause: unknown): BpfError {
  return new BpfError(
    'ERR_BPF_LIBRARY',
    'libbpf.so.1 could not be loaded; install libbpf 1.1 or newer (Debian: libbpf1)',
    {
      cause,
    },
  );
}

function openLibbpf(): LibraryHandle {
  if (libbpf !== undefined) return libbpf;
  try {
    libbpf = koffi.load('libbpf.so.1');
  } catch (cause) {
    throw libraryMissing(cause);
  }
  return libbpf;
}

/** A prototype in C, or name, result and arguments where a type has no name. */
type Definition = string | readonly [name: string, result: string, args: (string | TypeObject)[]];

function bind<F>(open: () => LibraryHandle, definition: Definition): F {
  let bound: ((...args: unknown[]) => unknown) | undefined;
  const call = (...args: unknown[]): unknown => {
    bound ??= find(open(), definition);
    return bound(...args);
  };
  return call as F;
}

function find(library: LibraryHandle, definition: Definition): (...args: unknown[]) => unknown {
  try {
    return typeof definition === 'string'
      ? library.func(definition)
      : library.func(definition[0], definition[1], definition[2]);
  } catch (cause) {
    throw new BpfError('ERR_BPF_LIBRARY', `this libbpf lacks '${definition}'; 1.1 or newer is needed`, { cause });
  }
}

/** Bound at its first call, so that a libbpf without one function still serves every other. */
export function bpf<F>(definition: Definition): F {
  return bind<F>(openLibbpf, definition);
}

export function c<F>(definition: string): F {
  return bind<F>(() => {
    libc ??= koffi.load('libc.so.6');
    return libc;
  }, definition);
}

/** errno of the last native call: read it before any other call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Version of the libbpf in use, e.g. `v1.1`. */
export const libbpfVersion: () => string = bpf('const char *libbpf_version_string()');

/** How many CPUs the kernel may ever have: the number of slots in a per-CPU map. */
export const possibleCpus: () => number = bpf('int libbpf_num_possible_cpus()');

export const pageSize: () => number = c('int getpagesize()');
