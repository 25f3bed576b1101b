/** Bytes of an entity id that the index keeps: what fits a JS number. Two processes with the same key cost a look at the record, nothing more. */
const KEY_BYTES = 6;

const HEX = /^[0-9a-f]{12,}$/;

/** null: not an entity id */
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

/** As one blob beside the record, so that the index entries can go when it goes. */
export function packKeys(keys: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(keys.length * KEY_BYTES);
  keys.forEach((key, index) => {
    bytes.writeUIntBE(key, index * KEY_BYTES, KEY_BYTES);
  });
  return bytes;
}

export function unpackKeys(bytes: Buffer): number[] {
  const keys: number[] = [];
  for (let at = 0; at + KEY_BYTES <= bytes.length; at += KEY_BYTES) keys.push(bytes.readUIntBE(at, KEY_BYTES));
  return keys;
}
