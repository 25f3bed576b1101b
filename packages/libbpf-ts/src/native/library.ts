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

/** A C prototype, or the parts of a prototype that uses anonymous types. */
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

/** Binds a function at its first call, so that a libbpf that lacks one function still works for all others. */
export function bpf<F>(definition: Definition): F {
  return bind<F>(openLibbpf, definition);
}

export function c<F>(definition: string): F {
  return bind<F>(() => {
    libc ??= koffi.load('libc.so.6');
    return libc;
  }, definition);
}

/** Returns the errno of the last native call. Read it before any other native call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Returns the version of the loaded libbpf, such as `v1.1`. */
export const libbpfVersion: () => string = bpf('const char *libbpf_version_string()');

/** Returns the number of possible CPUs, which is the number of values in an entry of a per-CPU map. */
export const possibleCpus: () => number = bpf('int libbpf_num_possible_cpus()');

export const pageSize: () => number = c('int getpagesize()');
