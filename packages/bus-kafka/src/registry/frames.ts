/**
 * A record has one of two frames, distinguished by the first byte. Avro single object: C3 01, fingerprint (8 bytes),
 * body. Confluent: 00, schema id (4 bytes, big-endian), body.
 */
const SINGLE_OBJECT_BYTES = 10;
const CONFLUENT_BYTES = 5;

/** The schema of a record, as named in its frame. */
export type SchemaRef = { readonly id: number } | { readonly fingerprint: string };

/** Returns undefined for a value with neither frame. */
export function schemaRefOf(value: Uint8Array): SchemaRef | undefined {
  if (value[0] === 0xc3 && value[1] === 0x01 && value.length >= SINGLE_OBJECT_BYTES)
    return { fingerprint: view(value).toString('hex', 2, SINGLE_OBJECT_BYTES) };
  if (value[0] === 0 && value.length >= CONFLUENT_BYTES) return { id: view(value).readUInt32BE(1) };
  return undefined;
}

/** Replaces the single-object frame with a Confluent frame. */
export function toConfluent(value: Uint8Array, id: number): Buffer {
  const out = Buffer.allocUnsafe(value.length - SINGLE_OBJECT_BYTES + CONFLUENT_BYTES);
  out[0] = 0;
  out.writeUInt32BE(id, 1);
  out.set(value.subarray(SINGLE_OBJECT_BYTES), CONFLUENT_BYTES);
  return out;
}

/** Replaces the Confluent frame with a single-object frame. Restores the signed bytes exactly. */
export function toSingleObject(value: Uint8Array, fingerprint: string): Buffer {
  const out = Buffer.allocUnsafe(value.length - CONFLUENT_BYTES + SINGLE_OBJECT_BYTES);
  out[0] = 0xc3;
  out[1] = 0x01;
  out.write(fingerprint, 2, 'hex');
  out.set(value.subarray(CONFLUENT_BYTES), SINGLE_OBJECT_BYTES);
  return out;
}

function view(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
