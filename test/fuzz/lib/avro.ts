import type { Random } from './random.ts';

export type AvroSchema =
  | string
  | readonly AvroSchema[]
  | {
      readonly type: AvroSchema;
      readonly name?: string;
      readonly size?: number;
      readonly symbols?: readonly string[];
      readonly items?: AvroSchema;
      readonly values?: AvroSchema;
      readonly fields?: readonly { readonly name: string; readonly type: AvroSchema }[];
    };

/** A schema may claim any size, and a record that is too short is an input, too. */
const MAX_FIXED_BYTES = 4096;

/** Zigzag varint; also of numbers that no reader accepts. */
export function long(value: number): Buffer {
  const whole = BigInt(Math.trunc(value));
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, whole >= 0n ? whole * 2n : -whole * 2n - 1n); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...out, Number(rest)]);
    out.push(Number(rest & 0x7fn) | 0x80);
  }
}

/**
 * Writes values of a schema. In half of the inputs, one of about fifty numbers is wrong: a negative or huge length, or
 * the count or the branch of what does not follow. In the others such a number is rare.
 */
export class AvroGrammar {
  readonly #random: Random;
  /** One of so many numbers is wrong. */
  readonly #faultEvery: number;
  readonly #named = new Map<string, AvroSchema>();
  #left: number;

  /** `maxBytes`: about how much is written before lists end. */
  constructor(random: Random, maxBytes = 4096) {
    this.#random = random;
    this.#faultEvery = random.once(2) ? 50 : 2000;
    this.#left = maxBytes;
  }

  value(schema: AvroSchema, depth = 0): Buffer {
    const bytes = this.#value(schema, depth);
    this.#left -= bytes.length;
    return bytes;
  }

  #value(schema: AvroSchema, depth: number): Buffer {
    const random = this.#random;
    if (typeof schema === 'string') {
      const named = this.#named.get(schema);
      return named === undefined ? this.#primitive(schema) : this.value(named, depth);
    }
    if (Array.isArray(schema)) {
      const branch = random.below(schema.length);
      const body = depth > 30 ? Buffer.alloc(0) : this.value(schema[branch] as AvroSchema, depth + 1);
      return Buffer.concat([this.#number(branch), body]);
    }
    const complex = schema as Exclude<AvroSchema, string | readonly AvroSchema[]>;
    if (complex.name !== undefined) this.#named.set(complex.name, complex);
    switch (complex.type) {
      case 'record':
        return Buffer.concat((complex.fields ?? []).map(({ type }) => this.value(type, depth + 1)));
      case 'enum':
        return this.#number(random.below((complex.symbols ?? []).length));
      case 'fixed':
        return Buffer.alloc(Math.min(complex.size ?? 0, MAX_FIXED_BYTES), random.next() & 0xff);
      case 'array':
        return this.#blocks(() => this.value(complex.items as AvroSchema, depth + 1));
      case 'map':
        return this.#blocks(() => Buffer.concat([this.#text(), this.value(complex.values as AvroSchema, depth + 1)]));
      default:
        return this.value(complex.type, depth);
    }
  }

  /** Returns a number, rarely another one. */
  #number(value: number): Buffer {
    return long(this.#random.once(this.#faultEvery) ? this.#random.integer() : value);
  }

  #text(): Buffer {
    const bytes = this.#random.once(3) ? this.#random.bytes(20) : Buffer.from(this.#random.text());
    return Buffer.concat([this.#number(bytes.length), bytes]);
  }

  #primitive(name: string): Buffer {
    const random = this.#random;
    if (name === 'null') return Buffer.alloc(0);
    if (name === 'boolean') return Buffer.from([random.once(9) ? random.next() & 0xff : random.below(2)]);
    if (name === 'int' || name === 'long') return this.#number((random.next() | 0) >> random.below(32));
    if (name === 'float') return Buffer.concat([random.bytes(4), Buffer.alloc(4)]).subarray(0, 4);
    if (name === 'double') return Buffer.concat([random.bytes(8), Buffer.alloc(8)]).subarray(0, 8);
    return this.#text();
  }

  #blocks(item: () => Buffer): Buffer {
    const random = this.#random;
    const parts: Buffer[] = [];
    while (this.#left > 0 && !random.once(3)) {
      const items = Array.from({ length: 1 + random.below(3) }, item);
      const body = Buffer.concat(items);
      // A block with a negative count has its size in bytes.
      if (random.once(5)) parts.push(this.#number(-items.length), this.#number(body.length), body);
      else parts.push(this.#number(items.length), body);
    }
    return Buffer.concat([...parts, long(0)]);
  }
}
