/** Arbitrary records, from their schemas: a new field or kind of event needs no change here. */
import fc from 'fast-check';
import { type RecordName, schemaOf } from '../src/avro/schemas.ts';
import type { EnrichedEvent, EventBatch, Process, RawBatch, RecordTypes } from '../src/generated/types.generated.ts';
import { UNSIGNED } from '../src/signing.ts';

interface Complex {
  readonly type: Schema;
  readonly name?: string;
  readonly size?: number;
  readonly items?: Schema;
  readonly values?: Schema;
  readonly symbols?: readonly string[];
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
}
type Schema = string | readonly Schema[] | Complex;
type Fields = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const bytes = (min: number, max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));

const PRIMITIVES: Fields = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int: fc.integer(),
  long: fc.oneof(fc.integer(), fc.integer({ min: 0, max: 2 ** 52 })),
  double: fc.double({ noNaN: true }),
  string: fc.string(),
  bytes: bytes(0, 60),
};

/** Indexes that mostly point into the lists of a batch. */
const index = (max: number): fc.Arbitrary<number> => fc.integer({ min: -1, max });
const DEFAULT_FIELDS: Readonly<Record<string, Fields>> = {
  Process: { parent: index(3), container: index(1) } satisfies Partial<Record<keyof Process, unknown>>,
  EnrichedEvent: {
    process: index(3),
    container: index(1),
    writer: index(3),
    writtenAgo: index(2 ** 40),
  } satisfies Partial<Record<keyof EnrichedEvent, unknown>>,
};

class Arbitraries {
  readonly #named = new Map<string, fc.Arbitrary<unknown>>();

  of(schema: Schema, fields: Fields = {}): fc.Arbitrary<unknown> {
    if (typeof schema === 'string') return PRIMITIVES[schema] ?? this.#known(schema);
    if (Array.isArray(schema)) return this.#union(schema as readonly Schema[]);
    const complex = schema as Complex;
    const arbitrary = this.#complex(complex, { ...DEFAULT_FIELDS[complex.name ?? ''], ...fields });
    if (complex.name !== undefined) this.#named.set(complex.name, arbitrary);
    return arbitrary;
  }

  #known(name: string): fc.Arbitrary<unknown> {
    const known = this.#named.get(name);
    if (known === undefined) throw new TypeError(`no schema defines ${name} before it is used`);
    return known;
  }

  #complex({ type, size = 0, items = 'null', values = 'null', symbols = [], ...record }: Complex, fields: Fields) {
    if (type === 'fixed') return bytes(size, size);
    if (type === 'enum') return fc.constantFrom(...symbols);
    if (type === 'array') return fc.array(this.of(items), { maxLength: 4 });
    if (type === 'map') {
      const key = fc.string({ maxLength: 8 });
      return fc.dictionary(key, this.of(values), { maxKeys: 4, noNullPrototype: true });
    }
    if (type !== 'record') return this.of(type);
    const entries = (record.fields ?? []).map(({ name, type }) => [name, fields[name] ?? this.of(type)] as const);
    return fc.record(Object.fromEntries(entries));
  }

  /** avsc wraps the branches of a union in objects if several are records. */
  #union(branches: readonly Schema[]): fc.Arbitrary<unknown> {
    const isRecord = (branch: Schema): branch is Complex => typeof branch === 'object' && 'fields' in branch;
    if (branches.filter(isRecord).length < 2) return fc.oneof(...branches.map((branch) => this.of(branch)));
    return fc.oneof(
      ...branches.map((branch) =>
        this.of(branch).map((value) => ({ [`ringfence.${(branch as Complex).name}`]: value })),
      ),
    );
  }
}

/** Schemas of records use types that those of earlier records define. */
const arbitraries = new Arbitraries();
function record<N extends RecordName>(name: N, fields: Fields = {}): fc.Arbitrary<RecordTypes[N]> {
  return arbitraries.of(schemaOf(name) as unknown as Schema, fields) as fc.Arbitrary<RecordTypes[N]>;
}

record('Event');
export const rawBatch: fc.Arbitrary<RawBatch> = record('RawBatch');
export const eventBatch: fc.Arbitrary<EventBatch> = record('EventBatch', {
  keyId: fc.constant(UNSIGNED.keyId),
  signature: fc.constant(UNSIGNED.signature),
});
export const process: fc.Arbitrary<Process> = eventBatch
  .filter(({ processes }) => processes.length > 0)
  .map(({ processes }) => processes[0] as Process);
export const enriched: fc.Arbitrary<EnrichedEvent> = eventBatch
  .filter(({ events }) => events.length > 0)
  .map(({ events }) => events[0] as EnrichedEvent);
