import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { openOutput } from '@ringfence/base';

/** Where lines go. A reader that is slower than the trace holds it up, so that what it can't take is lost in the kernel, counted, and not kept here. */
export class TraceOutput {
  readonly stream: Writable;
  readonly #own: boolean;

  /** `file`: a path, or null for `otherwise`. Throws OperatorError. */
  constructor(file: string | null, otherwise: Writable) {
    this.#own = file !== null;
    this.stream = file === null ? otherwise : createWriteStream(file, { fd: openOutput(file) });
  }

  async write(text: string): Promise<void> {
    if (text !== '' && !this.stream.write(text)) await once(this.stream, 'drain');
  }

  async close(): Promise<void> {
    if (!this.#own) return;
    this.stream.end();
    await finished(this.stream);
  }
}
