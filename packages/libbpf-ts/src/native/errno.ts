import { constants } from 'node:os';

/** Errnos that Node does not name: those internal to the kernel, and those of libbpf (4000 and up). */
const extra: Readonly<Record<number, readonly [name: string, text: string]>> = {
  117: ['EUCLEAN', 'structure needs cleaning'],
  524: ['ENOTSUPP', 'operation is not supported by this kernel'],
  4000: ['LIBBPF_ERRNO__LIBELF', 'something is wrong in libelf'],
  4001: ['LIBBPF_ERRNO__FORMAT', 'the object file is not a valid BPF object'],
  4002: ['LIBBPF_ERRNO__KVERSION', 'the object has an incorrect or missing version section'],
  4003: ['LIBBPF_ERRNO__ENDIAN', 'the object was compiled for the other byte order'],
  4004: ['LIBBPF_ERRNO__INTERNAL', 'internal error in libbpf'],
  4005: ['LIBBPF_ERRNO__RELOC', 'a relocation failed'],
  4006: ['LIBBPF_ERRNO__LOAD', 'the kernel refused the program for an unknown reason'],
  4007: ['LIBBPF_ERRNO__VERIFY', 'the verifier blocked the program'],
  4008: ['LIBBPF_ERRNO__PROG2BIG', 'the program is too big'],
  4009: ['LIBBPF_ERRNO__KVER', 'the object is for another kernel version'],
  4010: ['LIBBPF_ERRNO__PROGTYPE', 'the kernel does not know this program type'],
  4011: ['LIBBPF_ERRNO__WRNGPID', 'wrong pid in a netlink message'],
  4012: ['LIBBPF_ERRNO__INVSEQ', 'wrong sequence in a netlink message'],
  4013: ['LIBBPF_ERRNO__NLPARSE', 'a netlink message could not be parsed'],
};

const names = new Map<number, string>();
for (const [name, value] of Object.entries(constants.errno)) {
  if (!names.has(value)) names.set(value, name);
}

export const ENOENT: number = constants.errno.ENOENT;
export const EINVAL: number = constants.errno.EINVAL;
export const ENOSPC: number = constants.errno.ENOSPC;
export const ENOTSUPP = 524;

/** Returns the name of an errno, such as `EACCES` for 13. An unknown number becomes `E` and the number. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? extra[errno]?.[0] ?? `E${errno}`;
}

/** Describes an errno of libbpf or internal to the kernel; undefined for standard errnos. */
export function errnoText(errno: number): string | undefined {
  return extra[errno]?.[1];
}
