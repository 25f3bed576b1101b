import {
  type Credentials,
  KIND,
  type KindName,
  LEAF_TYPE,
  layouts,
  records,
  U64_ZERO,
  u64FromBigInt,
} from '@ringfence/wire';

/** Text, or bytes that are not valid text, as a hostile program may send them. */
export type Words = string | Uint8Array;

/** Values of an event's fields by name: 64-bit numbers such as inodes are bigints. */
export type EventValues = Readonly<Record<string, string | number | bigint | boolean | Uint8Array | Credentials>>;

/** Values of the parts of a nested record that is not given. */
const ZERO: Readonly<Record<number, number | Uint8Array>> = { [LEAF_TYPE.long]: 0, [LEAF_TYPE.fixed]: U64_ZERO };

const isRecord = (value: unknown): value is Credentials => typeof value === 'object' && !(value instanceof Uint8Array);

/** Returns the body of an event with every field of its kind; a field without a value is 0, false or empty. */
export function bodyOf(kind: KindName, values: EventValues): object {
  const body: Record<string, unknown> = {};
  for (const { name, type } of layouts[KIND[kind]]?.leaves ?? []) {
    const [field = '', part] = name.split('.');
    const value = values[field];
    if (part !== undefined && isRecord(value)) body[field] = value;
    else if (part !== undefined && type in ZERO)
      body[field] = { ...(body[field] as object | undefined), [part]: ZERO[type] };
    else if (part !== undefined) body[field] = text((value as Words | undefined) ?? '');
    else if (type === LEAF_TYPE.fixed) body[field] = u64FromBigInt((value as bigint | undefined) ?? 0n);
    else if (type === LEAF_TYPE.bytes) body[field] = addressBytes((value as Words | undefined) ?? Buffer.alloc(0));
    else body[field] = value ?? (type === LEAF_TYPE.boolean ? false : 0);
  }
  return body;
}

export function text(words: Words): { readonly bytes: Buffer; readonly length: number } {
  const bytes = Buffer.from(words as string);
  return { bytes, length: bytes.length };
}

export const addressBytes = (address: Words): Uint8Array => (typeof address === 'string' ? dotted(address) : address);

function dotted(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** Encodes struct rf_probe_argument with its content: a number as a signed one, anything else as text. */
export function probeArgument(name: string, value: string | number): Buffer {
  const header = Buffer.alloc(records.SIZEOF_PROBE_ARGUMENT);
  const content = Buffer.from(typeof value === 'string' ? value : '');
  header.writeBigInt64LE(BigInt(typeof value === 'string' ? content.length : value), records.PROBE_ARGUMENT_VALUE);
  header.writeUInt16LE(content.length, records.PROBE_ARGUMENT_KEPT);
  header.writeUInt16LE(
    typeof value === 'string' ? records.ProbeType.TYPE_STRING : records.ProbeType.TYPE_SIGNED,
    records.PROBE_ARGUMENT_TYPE,
  );
  header.write(name, records.PROBE_ARGUMENT_NAME);
  return Buffer.concat([header, content]);
}
