import { rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { BpfError } from './errors.ts';
import { bpf } from './native/library.ts';
import { checked } from './native/log.ts';

const objPin: (fd: number, path: string) => number = bpf('int bpf_obj_pin(int fd, const char *path)');
const objGet: (path: string, options: Uint8Array) => number = bpf(
  'int bpf_obj_get_opts(const char *path, const void *options)',
);

const BPF_FS_MAGIC = 0xcafe4a11;
const F_RDONLY = 1 << 3;

/** Checks whether a directory is in a BPF file system, which pins require. */
export function isBpfFileSystem(directory: string): boolean {
  return statfsSync(directory).type >>> 0 === BPF_FS_MAGIC;
}

export function pin(fd: number, path: string, label: string): void {
  checked('ERR_BPF_PIN', `pinning ${label} to ${path} (is a BPF file system mounted there?)`, 'bpf_obj_pin', () =>
    objPin(fd, path),
  );
}

/**
 * Returns a new descriptor of the object pinned at `path`. The caller closes it.
 * @param readonly for a map: a descriptor that can't write
 */
export function openPinned(path: string, readonly = false): number {
  // struct bpf_obj_get_opts: size_t sz; u32 file_flags, then padding.
  const options = new DataView(new ArrayBuffer(16));
  options.setBigUint64(0, 16n, true);
  options.setUint32(8, readonly ? F_RDONLY : 0, true);
  return checked('ERR_BPF_PIN', `opening the pin ${path}`, 'bpf_obj_get', () =>
    objGet(path, new Uint8Array(options.buffer)),
  );
}

/** Removes a pin. Throws if `path` is not in a BPF file system, so that a wrong path cannot delete a file. */
export function removePin(path: string, label: string): void {
  try {
    if (!isBpfFileSystem(dirname(path))) throw new BpfError('ERR_BPF_PIN', `${path} is not in a BPF file system`);
    rmSync(path);
  } catch (cause) {
    if (cause instanceof BpfError) throw cause;
    throw new BpfError('ERR_BPF_PIN', `unpinning ${label} from ${path} failed: ${(cause as Error).message}`, { cause });
  }
}
