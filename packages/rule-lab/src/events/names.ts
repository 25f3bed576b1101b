import { createEnricherPipeline } from '@ringfence/enricher';
import { eventKinds, type FieldValue, fieldNamed } from '@ringfence/fields';
import { consumerRecords, type EventValues, SyntheticHost } from '@ringfence/synthetic';
import { EventView, KIND, type KindName } from '@ringfence/wire';

/** A number of an event's body, and the field that shows its name. */
export interface NamedValue {
  readonly kind: KindName;
  /** The body's field that has the number. */
  readonly leaf: string;
  readonly field: string;
  /** Other values that the body needs before the field has a name. */
  readonly beside?: EventValues;
  /** @default 0 to 255 */
  readonly candidates?: readonly (number | bigint)[];
}

/** Candidates for sets of bits: one bit each. */
export const BITS: readonly number[] = Array.from({ length: 31 }, (_, bit) => 2 ** bit);
export const BITS_64: readonly bigint[] = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
const SMALL = Array.from({ length: 256 }, (_, number) => number);

const known = new Map<string, ReadonlyMap<string, number | bigint>>();

/**
 * Returns the number that the catalogue shows under a name, or undefined. The catalogue only maps numbers to names, so
 * an event is built for each candidate and the field is read.
 */
export function numberNamed(value: NamedValue, name: string): number | bigint | undefined {
  const key = `${value.kind} ${value.leaf} ${value.field}`;
  const names = known.get(key) ?? namesOf(value);
  known.set(key, names);
  return names.get(name);
}

function namesOf({
  kind,
  leaf,
  field: name,
  beside = {},
  candidates = SMALL,
}: NamedValue): ReadonlyMap<string, number | bigint> {
  const field = fieldNamed(name);
  if (field === undefined) throw new TypeError(`there is no field '${name}'`);
  const host = new SyntheticHost();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  for (const candidate of candidates) host.event(host.init, kind, { ...beside, [leaf]: candidate });
  const values = valuesOf(host, kind, (view) => field.get(view));
  const names = new Map<string, number | bigint>();
  for (const [i, value] of values.entries()) {
    const text = typeof value === 'object' ? value[0] : value;
    if (text !== undefined && !names.has(String(text))) names.set(String(text), candidates[i] ?? 0);
  }
  return names;
}

function valuesOf(host: SyntheticHost, kind: KindName, read: (view: EventView) => FieldValue): FieldValue[] {
  const pipeline = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const { outputs } = pipeline.handle(consumerRecords(host.hostId, [host.batch()]));
  const view = new EventView();
  const values: FieldValue[] = [];
  for (const { value } of outputs) {
    view.open(value ?? new Uint8Array());
    while (view.next()) if (eventKinds.of(view) === KIND[kind]) values.push(read(view));
  }
  return values;
}
