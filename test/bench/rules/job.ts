import { readFileSync, writeFileSync } from 'node:fs';
import type { RuleSource } from '@ringfence/rules';

/** Order to rules-child.ts */
export interface MatchJob {
  /** File written by `writeBatches` */
  readonly batches: string;
  readonly sources: readonly RuleSource[];
  /** Whether to use the index; otherwise every rule of the event's kind is evaluated */
  readonly indexed: boolean;
  /** Whether to order the parts of conditions by measurements; otherwise estimates order them */
  readonly measured: boolean;
  readonly rounds: number;
  /** Path for a CPU profile, or null for none */
  readonly profile: string | null;
}

export interface MatchResult {
  readonly rules: number;
  /** Time to load and compile in a new process, ms */
  readonly compileMs: number;
  readonly events: number;
  readonly matches: number;
  readonly errors: readonly string[];
  /** Events per CPU second by round, without rules */
  readonly decoding: readonly number[];
  /** Events per CPU second by round, decoding and matching */
  readonly matching: readonly number[];
}

/** Output of sequences-child.ts */
export interface SequenceFigures {
  readonly sequences: number;
  /** Events per CPU second */
  readonly perSecond: number;
  readonly keys: number;
  readonly hits: number;
  readonly evicted: number;
  readonly matched: number;
  /** Memory of the rules and their state, bytes */
  readonly bytes: number;
}

/** Writes the batches to a file, each after its length. */
export function writeBatches(path: string, batches: readonly Buffer[]): void {
  const parts = batches.flatMap((batch) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(batch.length);
    return [length, batch];
  });
  writeFileSync(path, Buffer.concat(parts));
}

export function readBatches(path: string): Buffer[] {
  const file = readFileSync(path);
  const batches: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const end = at + 4 + file.readUInt32LE(at);
    batches.push(file.subarray(at + 4, end));
    at = end;
  }
  return batches;
}
