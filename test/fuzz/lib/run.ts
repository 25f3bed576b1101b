import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Random } from './random.ts';
import type { FuzzSession, FuzzTarget } from './target.ts';
import { Watchdog } from './watchdog.ts';

const CORPUS = join(import.meta.dirname, '../corpus');
const BYTES_PER_BYTE = 2000;
const INPUTS_PER_TURN = 50;

export interface FuzzLimits {
  readonly seed: number;
  /** Ends after so many generated inputs, besides the corpus. */
  readonly runs: number;
  /** Ends after this time, ms. */
  readonly durationMs: number;
}

export interface FuzzReport {
  readonly runs: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** Most memory that one input has allocated, bytes */
  readonly memory: number;
  /** Most time that one input took, ms */
  readonly slowestMs: number;
}

/** An input with an outcome that the target does not have. */
export class FuzzFinding extends Error {
  readonly target: string;
  readonly input: Buffer;

  constructor(target: string, where: string, input: Buffer, problem: string, cause: unknown) {
    const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
    super(`${target}: ${where} (${input.length} bytes, ${hash}): ${problem}`, { cause });
    this.name = 'FuzzFinding';
    this.target = target;
    this.input = input;
  }
}

/** Returns the kept inputs of a target. They ended in a finding once, or are rare in what is generated. */
export function corpusOf(target: string): { readonly name: string; readonly input: Buffer }[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }));
}

/** Gives the corpus and generated inputs to a target. Rejects with FuzzFinding at the first finding. */
export async function fuzz(target: FuzzTarget, { seed, runs, durationMs }: FuzzLimits): Promise<FuzzReport> {
  const session = await target.open();
  session.warmUp?.();
  using watchdog = new Watchdog(target.name);
  const round = new Round(target, session, watchdog);
  const started = performance.now();
  for (const { name, input } of corpusOf(target.name)) await round.run(`corpus/${target.name}/${name}`, input);
  for (let run = 0; run < runs && performance.now() - started < durationMs; run++) {
    // Node frees the memory of decompressors, and others, only between two turns of its loop.
    if (run % INPUTS_PER_TURN === 0) await nextTurn();
    // Every input has a seed of its own, so that a single one can be generated again.
    await round.run(`seed ${seed}, input ${run}`, session.generate(new Random(seed * 1_000_003 + run)));
  }
  await session.finish?.();
  return round.report((performance.now() - started) / 1000);
}

class Round {
  readonly #target: FuzzTarget;
  readonly #session: FuzzSession;
  readonly #watchdog: Watchdog;
  readonly #known: ReadonlySet<string>;
  readonly #outcomes = new Map<string, number>();
  #runs = 0;
  #bytes = 0;
  #memory = 0;
  #slowestMs = 0;

  constructor(target: FuzzTarget, session: FuzzSession, watchdog: Watchdog) {
    this.#target = target;
    this.#session = session;
    this.#watchdog = watchdog;
    this.#known = new Set(target.outcomes);
  }

  async run(where: string, input: Buffer): Promise<void> {
    const finding = (problem: string, cause?: unknown): FuzzFinding =>
      new FuzzFinding(this.#target.name, where, input, problem, cause);
    this.#watchdog.begin(where);
    const before = allocated();
    const started = performance.now();
    let outcome: string;
    try {
      outcome = await this.#session.run(Buffer.from(input));
    } catch (cause) {
      throw finding(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), cause);
    }
    const memory = allocated() - before;
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - started);
    this.#watchdog.end();
    if (!this.#known.has(outcome)) throw finding(`the outcome ${outcome} is none of the target's`);
    if (memory > this.#target.memoryMax + BYTES_PER_BYTE * input.length)
      throw finding(`it allocated ${(memory / 2 ** 20).toFixed(1)} MiB`);
    this.#memory = Math.max(this.#memory, memory);
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#runs++;
    this.#bytes += input.length;
  }

  report(seconds: number): FuzzReport {
    const outcomes = new Map([...this.#outcomes].sort(([, a], [, b]) => b - a));
    return {
      ...{ runs: this.#runs, seconds, bytes: this.#bytes, outcomes },
      ...{ memory: this.#memory, slowestMs: this.#slowestMs },
    };
  }
}

/** A collection between two calls only makes the difference smaller. */
function allocated(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}
