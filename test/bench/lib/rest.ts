import { setTimeout as sleep } from 'node:timers/promises';
import { createSigningKey, signBytes } from '@ringfence/schema';
import { percentile } from './figures.ts';

const SIGNATURES = 2000;
const ROUNDS = 9;
const REST_MS = 1000;

export interface RestCost {
  /** µs of a signature, the first thing after a second's rest */
  readonly first: number;
  /** µs of the one after it */
  readonly again: number;
}

/**
 * What it costs on this machine to have rested: the same work as the first thing after a second in which nothing ran, and once more. Where others have the caches meanwhile, or the
 * machine under this one takes pages away to see whether they are missed, whatever wakes once a second pays for it, and an idle agent does nothing else.
 */
export async function restCost(): Promise<RestCost> {
  const key = createSigningKey();
  const bytes = Buffer.alloc(2000, 1);
  for (let i = 0; i < SIGNATURES; i++) signBytes(key, bytes);
  const micros = (): number => {
    const begin = performance.now();
    signBytes(key, bytes);
    return (performance.now() - begin) * 1000;
  };
  const [first, again]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(REST_MS);
    first.push(micros());
    again.push(micros());
  }
  return { first: percentile(first, 50), again: percentile(again, 50) };
}
