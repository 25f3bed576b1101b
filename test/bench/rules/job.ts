import { readFileSync, writeFileSync } from 'node:fs';
import type { RuleSource } from '@ringfence/rules';

/** What a child is to measure. */
export interface MatchJob {
  /** file of `writeBatches` */
  readonly batches: string;
  readonly sources: readonly RuleSource[];
  /** false: every rule of the event's kind is evaluated */
  readonly indexed: boolean;
  /** false: the parts of conditions stay in the order of estimates */
  readonly measured: boolean;
  readonly rounds: number;
  /** CPU profile to write; null: none */
  readonly profile: string | null;
}

export interface MatchResult {
  readonly rules: number;
  /** of a process that has just started */
  readonly compileMs: number;
  readonly events: number;
  readonly matches: number;
  readonly errors: readonly string[];
  /** events per CPU second, by round: decoding alone, and with the rules */
  readonly decoding: readonly number[];
  readonly matching: readonly number[];
}

/** Of sequences-child.ts. */
export interface SequenceFigures {
  readonly sequences: number;
  /** events by seconds of processor time: what else the machine does doesn't count */
  readonly perSecond: number;
  readonly keys: number;
  readonly hits: number;
  readonly evicted: number;
  readonly matched: number;
  /** bytes that what is remembered takes */
  readonly bytes: number;
}

/** Each with its length in front. */
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
