import { CAPABILITIES } from '@ringfence/fields';

export const ALL_CAPABILITIES: bigint = (1n << BigInt(CAPABILITIES.length)) - 1n;

/** The default capabilities of Docker and Podman. */
export const DEFAULT_CAPABILITIES: bigint = maskOf(
  (
    'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT ' +
    'KILL AUDIT_WRITE'
  ).split(' '),
);

/** Accepts names with or without `CAP_`, in any case. Ignores unknown names. */
export function maskOf(names: readonly unknown[]): bigint {
  let mask = 0n;
  for (const name of names) {
    const index = CAPABILITIES.indexOf(`CAP_${String(name).toUpperCase().replace(/^CAP_/, '')}`);
    if (index >= 0) mask |= 1n << BigInt(index);
  }
  return mask;
}
