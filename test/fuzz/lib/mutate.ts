import type { Random } from './random.ts';

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const replaced = (bytes: Buffer, at: number, length: number, by: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)]);

function varint(value: number): Buffer {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(Math.trunc(value))); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...out, Number(rest)]);
    out.push(Number(rest & 0x7fn) | 0x80);
  }
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  },
  (bytes, random) => replaced(bytes, random.below(bytes.length), 1, Buffer.from([random.next() & 0xff])),
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), 0, random.bytes(16)),
  (bytes, random) => replaced(bytes, random.below(bytes.length), 1 + random.below(16), Buffer.alloc(0)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => replaced(bytes, random.below(bytes.length), 1 + random.below(4), varint(random.integer())),
  (bytes, random) => {
    const number = Buffer.alloc(4);
    number.writeInt32LE(random.integer() | 0);
    if (random.once(2)) number.swap32();
    return replaced(bytes, random.below(bytes.length), 4, number);
  },
  (bytes, random) => {
    const from = random.below(bytes.length);
    const piece = bytes.subarray(from, from + 1 + random.below(64));
    return replaced(bytes, random.below(bytes.length + 1), random.once(2) ? piece.length : 0, piece);
  },
  (bytes, random) =>
    replaced(bytes, random.below(bytes.length), 0, Buffer.alloc(random.below(64), random.next() & 0xff)),
];

/** Returns the bytes with up to four changes: bits, bytes, lengths, numbers, pieces that are moved or cut off. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let mutated = bytes;
  for (let changes = 1 + random.below(4); changes > 0; changes--) mutated = random.pick(MUTATIONS)(mutated, random);
  return mutated;
}
