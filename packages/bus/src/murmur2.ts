/** Constants of Kafka's murmur2. All drivers use its partitioner, so that a key has the same partition on each. */
const M = 0x5bd1e995;
const SEED = 0x9747b28c;

export function murmur2(data: Uint8Array, length: number = data.length): number {
  let h = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length & 3;
  if (rest >= 3) h ^= data[whole + 2]! << 16;
  if (rest >= 2) h ^= data[whole + 1]! << 8;
  if (rest >= 1) h = Math.imul(h ^ data[whole]!, M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

const encoder = new TextEncoder();
const scratch = new Uint8Array(4096);

/** Returns the partition of a key, from 0 to `partitions` - 1. */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  // A UTF-16 unit becomes at most three bytes of UTF-8.
  if (key.length * 3 > scratch.length) return (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions;
  return (murmur2(scratch, encoder.encodeInto(key, scratch).written) & 0x7fffffff) % partitions;
}
