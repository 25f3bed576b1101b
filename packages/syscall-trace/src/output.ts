import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { openOutput } from '@ringfence/base';

/**
 * Writes the trace with back-pressure: a slow reader delays the reading of the ring, so that records are lost and
 * counted in the kernel instead of piling up in this process.
 */
export class TraceOutput {
  readonly stream: Writable;
  readonly #closesStream: boolean;

  /** Writes to the file, or to `fallback` when the path is null. Throws OperatorError. */
  constructor(file: string | null, fallback: Writable) {
    this.#closesStream = file !== null;
    this.stream = file === null ? fallback : createWriteStream(file, { fd: openOutput(file) });
  }

  async write(text: string): Promise<void> {
    if (text !== '' && !this.stream.write(text)) await once(this.stream, 'drain');
  }

  async close(): Promise<void> {
    if (!this.#closesStream) return;
    this.stream.end();
    await finished(this.stream);
  }
}
