const CRC_EMPTY = 0xc15d213aa4d7a795n;
/**
 * Contribution of each byte to the checksum: low and high 32 bits. With BigInts, each start would take 40 ms longer.
 */
const CRC_LOW = new Uint32Array(256);
const CRC_HIGH = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? CRC_EMPTY : 0n);
  CRC_LOW[byte] = Number(crc & 0xffffffffn);
  CRC_HIGH[byte] = Number(crc >> 32n);
}

/**
 * CRC-64-AVRO (Avro spec, "Schema Fingerprints") of a schema's canonical form. A checksum, not a hash: it is easy to
 * make another schema with the same fingerprint.
 */
export function fingerprint(canonical: string): Buffer {
  let low = Number(CRC_EMPTY & 0xffffffffn);
  let high = Number(CRC_EMPTY >> 32n);
  for (const byte of Buffer.from(canonical, 'utf8')) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (CRC_LOW[index] as number);
    high = (high >>> 8) ^ (CRC_HIGH[index] as number);
  }
  const out = Buffer.alloc(8);
  out.writeInt32LE(low | 0, 0);
  out.writeInt32LE(high | 0, 4);
  return out;
}
