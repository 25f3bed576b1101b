import { createHash } from 'node:crypto';
import { decode, SchemaError } from '@ringfence/wire';
import type { Control } from './agent-control.ts';
import { MAX_UNACKNOWLEDGED } from './wire.ts';

interface CachedResult {
  readonly id: string;
  readonly result: Uint8Array;
}

type Sink = (result: Uint8Array) => void;

/**
 * Results that no responder has acknowledged. A command that arrives again while it runs is not started twice; one that
 * has finished gets the cached Result. The cache key is the command's bytes, because an unverified id proves nothing.
 */
export class ResultCache {
  readonly #control: Control;
  readonly #running = new Set<string>();
  readonly #results = new Map<string, CachedResult>();
  #sink: Sink | null = null;
  /** Results dropped because the cache was full */
  dropped = 0;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Ids of the commands with a cached Result */
  get ids(): string[] {
    return [...new Set([...this.#results.values()].map(({ id }) => id))];
  }

  get size(): number {
    return this.#results.size;
  }

  /** Executes the command unless it is running or its Result is cached. Rejects with the error of `execute`. */
  async execute(command: Uint8Array): Promise<void> {
    const digest = createHash('sha256').update(command).digest('base64');
    const cached = this.#results.get(digest);
    if (cached !== undefined) return this.#sink?.(cached.result);
    if (this.#running.has(digest)) return;
    this.#running.add(digest);
    try {
      const result = await this.#control.execute(command);
      const id = idOf(result);
      if (id !== '') this.#store(digest, { id, result });
      this.#sink?.(result);
    } finally {
      this.#running.delete(digest);
    }
  }

  /** Sends the cached Results to `sink`, and then all later ones, whichever stream their command came from. */
  deliverTo(sink: Sink): Disposable {
    this.#sink = sink;
    for (const { result } of this.#results.values()) sink(result);
    return {
      [Symbol.dispose]: () => {
        if (this.#sink === sink) this.#sink = null;
      },
    };
  }

  acknowledge(id: string): void {
    for (const [digest, entry] of this.#results) if (entry.id === id) this.#results.delete(digest);
  }

  #store(digest: string, entry: CachedResult): void {
    this.#results.set(digest, entry);
    if (this.#results.size <= MAX_UNACKNOWLEDGED) return;
    this.#results.delete(this.#results.keys().next().value as string);
    this.dropped++;
  }
}

/** Returns '' for the Result of bytes that could not be decoded as a command. */
function idOf(result: Uint8Array): string {
  try {
    return decode('Result', result).id;
  } catch (error) {
    if (error instanceof SchemaError) return '';
    throw error;
  }
}
