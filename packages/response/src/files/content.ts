import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, read, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { descriptorPath } from '@ringfence/host-kit';

const CHUNK_BYTES = 1 << 20;
/** The kernel takes a lease away after 45 s (/proc/sys/fs/lease-break-time). */
const LEASE_WAIT_MS = 60_000;
const LEASE_LOOK_MS = 50;
const readChunk = promisify(read);
const writeChunk = promisify(write);

/**
 * Opens a regular file, which was opened with O_PATH, for reading; it keeps its access time. Waits at most 60 s for a
 * process that has a lease on it.
 */
export async function openToRead(fd: number, signal: AbortSignal): Promise<number> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOATIME;
  for (let waited = 0; ; waited += LEASE_LOOK_MS) {
    signal.throwIfAborted();
    try {
      return openSync(descriptorPath(fd), flags);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waited >= LEASE_WAIT_MS) throw error;
    }
    await sleep(LEASE_LOOK_MS, undefined, { signal });
  }
}

export interface Content {
  readonly sha256: string;
  readonly bytes: number;
}

/** Thrown when a file grew beyond the bound while it was read. */
export class GrewError extends Error {}

/**
 * Hashes a file that is open for reading, from its begin, and copies it to `into` on the way. Throws GrewError after
 * `maxBytes`.
 */
export async function readContent(fd: number, maxBytes: number, signal: AbortSignal, into?: number): Promise<Content> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await readChunk(fd, chunk, 0, chunk.length, bytes);
    if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes };
    if (bytes + bytesRead > maxBytes) throw new GrewError('the file grew while it was read');
    hash.update(chunk.subarray(0, bytesRead));
    if (into !== undefined) await writeAll(into, chunk.subarray(0, bytesRead), bytes);
    bytes += bytesRead;
  }
}

async function writeAll(fd: number, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await writeChunk(fd, bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/** Returns the content of the regular file behind an O_PATH descriptor; null if it is longer than `maxBytes`. */
export async function contentOf(pathFd: number, maxBytes: number, signal: AbortSignal): Promise<Content | null> {
  const fd = await openToRead(pathFd, signal);
  try {
    return await readContent(fd, maxBytes, signal);
  } catch (error) {
    if (error instanceof GrewError) return null;
    throw error;
  } finally {
    closeSync(fd);
  }
}
