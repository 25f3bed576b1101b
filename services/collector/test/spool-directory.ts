import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory for a spool. */
export class SpoolDirectory implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-spool-'));

  /** Returns the paths of the segments, oldest first within a class. */
  segments(): string[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith('.spool'))
      .sort()
      .map((name) => join(this.path, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Returns the bytes of a batch that begin with its number. */
export function numbered(number: number, bytes = 1000): Buffer {
  const batch = Buffer.alloc(bytes);
  batch.writeUInt32LE(number);
  return batch;
}

export const numberOf = (batch: Uint8Array): number => Buffer.from(batch).readUInt32LE();
