/** Bytes of an entity id in the index; they fit a JS number. A collision only costs reading the record. */
const KEY_BYTES = 6;

const HEX = /^[0-9a-f]{12,}$/;

/** Returns null when the text is not an entity id. */
export function entityKey(entityId: string): number | null {
  return HEX.test(entityId) ? Number.parseInt(entityId.slice(0, KEY_BYTES * 2), 16) : null;
}

export function entityKeys(entityIds: readonly string[]): number[] {
  const keys = new Set<number>();
  for (const id of entityIds) {
    const key = entityKey(id);
    if (key !== null) keys.add(key);
  }
  return [...keys];
}

/** Packs the keys in one blob next to the record, so that its index entries can be deleted with it. */
export function packKeys(keys: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(keys.length * KEY_BYTES);
  keys.forEach((key, index) => {
    bytes.writeUIntBE(key, index * KEY_BYTES, KEY_BYTES);
  });
  return bytes;
}

export function unpackKeys(bytes: Buffer): number[] {
  const keys: number[] = [];
  for (let offset = 0; offset + KEY_BYTES <= bytes.length; offset += KEY_BYTES) {
    keys.push(bytes.readUIntBE(offset, KEY_BYTES));
  }
  return keys;
}
