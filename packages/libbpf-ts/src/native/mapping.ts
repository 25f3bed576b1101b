import koffi from 'koffi';
import { failure } from '../errors.ts';
import { c, type Handle, lastErrno, type Pointer, pageSize } from './library.ts';

const mmap: (at: Handle, length: number, protection: number, flags: number, fd: number, offset: number) => Pointer = c(
  'void *mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)',
);
const munmap: (at: Pointer, length: number) => number = c('int munmap(void *at, size_t length)');

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

export interface MappingOptions {
  /** bytes, rounded up to whole pages */
  readonly length: number;
  /** bytes, in whole pages. @default 0 */
  readonly offset?: number;
  readonly writable: boolean;
}

/**
 * Kernel memory as an ArrayBuffer. Writing to a read-only mapping kills the process with SIGSEGV, because JavaScript
 * has no read-only ArrayBuffer.
 */
export class Mapping implements Disposable {
  readonly buffer: ArrayBuffer;
  readonly #address: Pointer;
  readonly #length: number;
  #mapped = true;

  constructor(fd: number, label: string, options: MappingOptions) {
    const page = pageSize();
    this.#length = Math.ceil(options.length / page) * page;
    const protection = options.writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const address = mmap(null, this.#length, protection, MAP_SHARED, fd, options.offset ?? 0);
    if (address === MAP_FAILED) throw failure('ERR_BPF_MMAP', `mapping ${label}`, 'mmap', lastErrno());
    this.#address = address;
    this.buffer = koffi.view(address, this.#length);
  }

  get mapped(): boolean {
    return this.#mapped;
  }

  /**
   * Detaches the buffer first, so that a view that outlives the mapping is empty instead of pointing to freed memory. A
   * buffer whose memory another one took over by `transfer` can't be detached: its pages stay mapped.
   */
  [Symbol.dispose](): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    if (this.buffer.detached) return;
    this.buffer.transfer(0);
    munmap(this.#address, this.#length);
  }
}
