import { glob, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, runTool } from '@ringfence/dev-servers/tools';

const MIB = 1 << 20;
/** Bytes to add for each file: its inode, and the rest of its last block. */
const FILE_BYTES = 1024 + 4096;

async function bytesBelow(directory: string): Promise<number> {
  let sum = 0;
  for await (const path of glob('**/*', { cwd: directory }))
    sum += (await lstat(join(directory, path))).size + FILE_BYTES;
  return sum;
}

/**
 * Makes an ext4 image of a directory, with all files owned by root.
 * @param freeMib free space for the guest
 */
export async function makeDisk(directory: string, file: string, freeMib = 8): Promise<void> {
  const mib = Math.ceil(((await bytesBelow(directory)) / MIB) * 1.1) + freeMib;
  // Initialize everything now, so that the guest's kernel does not write in the background.
  const extended = ['-E', 'root_owner=0:0,lazy_itable_init=0'];
  const features = ['-t', 'ext4', '-O', '^has_journal', '-m', '0', '-F', '-q'];
  await runTool(findProgram('mke2fs') ?? 'mke2fs', [...features, ...extended, '-d', directory, file, `${mib}M`]);
}
