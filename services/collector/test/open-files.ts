import { fstatSync, readdirSync } from 'node:fs';
import type { FileKey } from '@ringfence/sensor';

/** The identity that the kernel would report, from stat(2). */
export function keyOf(inode: bigint, generation = 1): FileKey {
  const key = Buffer.alloc(16);
  key.writeBigUInt64LE(inode);
  key.writeUInt32LE(generation, 12);
  return new Uint8Array(key);
}

/** Returns the identities of all open files of this process, as the sensor's iterator does. */
export function identifyOpenFiles(generation: number): Map<number, FileKey[]> {
  const descriptors = readdirSync('/proc/self/fd').map(Number);
  return new Map(
    descriptors.flatMap((descriptor) => {
      try {
        return [[descriptor, [keyOf(fstatSync(descriptor, { bigint: true }).ino, generation)]] as const];
      } catch {
        return []; // the descriptor of the directory that was just read
      }
    }),
  );
}
