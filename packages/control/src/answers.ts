import { createHash } from 'node:crypto';
import { decode, SchemaError } from '@ringfence/wire';
import type { Control } from './agent-control.ts';
import { MAX_UNACKNOWLEDGED } from './wire.ts';

interface Answer {
  readonly id: string;
  readonly result: Uint8Array;
}

type Sink = (result: Uint8Array) => void;

/**
 * What the agent has done and nobody has acknowledged. A command that comes again while it is carried out is waited for, and afterwards answered as
 * before; the same bytes only, since anybody's bytes may claim an id.
 */
export class Answers {
  readonly #control: Control;
  readonly #running = new Set<string>();
  readonly #kept = new Map<string, Answer>();
  #sink: Sink | null = null;
  /** kept Results that had to make room */
  dropped = 0;

  constructor(control: Control) {
    this.#control = control;
  }

  /** ids of the commands whose Results are kept */
  get ids(): string[] {
    return [...new Set([...this.#kept.values()].map(({ id }) => id))];
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Carries it out, unless that was done or is being done. Rejects with what `execute` does. */
  async take(command: Uint8Array): Promise<void> {
    const digest = createHash('sha256').update(command).digest('base64');
    const kept = this.#kept.get(digest);
    if (kept !== undefined) return this.#sink?.(kept.result);
    if (this.#running.has(digest)) return;
    this.#running.add(digest);
    try {
      const result = await this.#control.execute(command);
      const id = idOf(result);
      if (id !== '') this.#keep(digest, { id, result });
      this.#sink?.(result);
    } finally {
      this.#running.delete(digest);
    }
  }

  /** Where Results go from now on, whichever stream their command came by; what is kept goes there first. */
  deliverTo(sink: Sink): Disposable {
    this.#sink = sink;
    for (const { result } of this.#kept.values()) sink(result);
    return {
      [Symbol.dispose]: () => {
        if (this.#sink === sink) this.#sink = null;
      },
    };
  }

  acknowledged(id: string): void {
    for (const [digest, answer] of this.#kept) if (answer.id === id) this.#kept.delete(digest);
  }

  #keep(digest: string, answer: Answer): void {
    this.#kept.set(digest, answer);
    if (this.#kept.size <= MAX_UNACKNOWLEDGED) return;
    this.#kept.delete(this.#kept.keys().next().value as string);
    this.dropped++;
  }
}

/** '': of bytes that were no command. */
function idOf(result: Uint8Array): string {
  try {
    return decode('Result', result).id;
  } catch (error) {
    if (error instanceof SchemaError) return '';
    throw error;
  }
}
