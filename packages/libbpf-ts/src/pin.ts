import { rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { BpfError } from './errors.ts';
import { bpf } from './native/library.ts';
import { checked } from './native/log.ts';

const objPin: (fd: number, path: string) => number = bpf('int bpf_obj_pin(int fd, const char *path)');
const objGet: (path: string) => number = bpf('int bpf_obj_get(const char *path)');

const BPF_FS_MAGIC = 0xcafe4a11;

/** Whether a directory is in a BPF file system, where things can be pinned. */
export function isBpfFileSystem(directory: string): boolean {
  return statfsSync(directory).type >>> 0 === BPF_FS_MAGIC;
}

export function pin(fd: number, path: string, what: string): void {
  checked('ERR_BPF_PIN', `pinning ${what} to ${path} (in a mounted BPF file system?)`, 'bpf_obj_pin', () =>
    objPin(fd, path),
  );
}

/** A new descriptor for what is pinned at `path`; the caller closes it. */
export function openPinned(path: string): number {
  return checked('ERR_BPF_PIN', `opening what is pinned at ${path}`, 'bpf_obj_get', () => objGet(path));
}

/** Only inside a BPF file system: a wrong path must not delete a file. */
export function removePin(path: string, what: string): void {
  try {
    if (!isBpfFileSystem(dirname(path))) throw new BpfError('ERR_BPF_PIN', `${path} is not in a BPF file system`);
    rmSync(path);
  } catch (cause) {
    if (cause instanceof BpfError) throw cause;
    throw new BpfError('ERR_BPF_PIN', `unpinning ${what} from ${path} failed: ${(cause as Error).message}`, { cause });
  }
}
