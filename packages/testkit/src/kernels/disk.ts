import { glob, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, runTool } from '@ringfence/dev-servers/tools';

const MIB = 1 << 20;
/** of each file, for its inode and the end of its last block */
const FILE_BYTES = 1024 + 4096;

async function bytesBelow(directory: string): Promise<number> {
  let sum = 0;
  for await (const path of glob('**/*', { cwd: directory }))
    sum += (await lstat(join(directory, path))).size + FILE_BYTES;
  return sum;
}

/** An ext4 file system with what is below the directory, owned by root. @param freeMib room for the guest to write into */
export async function makeDisk(directory: string, file: string, freeMib = 8): Promise<void> {
  const mib = Math.ceil(((await bytesBelow(directory)) / MIB) * 1.1) + freeMib;
  // all is written here, so that the guest's kernel has nothing to write behind the test's back
  const extended = ['-E', 'root_owner=0:0,lazy_itable_init=0'];
  const features = ['-t', 'ext4', '-O', '^has_journal', '-m', '0', '-F', '-q'];
  await runTool(findProgram('mke2fs') ?? 'mke2fs', [...features, ...extended, '-d', directory, file, `${mib}M`]);
}
