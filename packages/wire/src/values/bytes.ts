/** Returns a Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns a 64-bit value as 8 little-endian bytes. JavaScript numbers would round the kernel's 64-bit values. */
export function u64FromBigInt(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

export function u64ToBigInt(bytes: Uint8Array, at = 0): bigint {
  return asBuffer(bytes).readBigUInt64LE(at);
}

/** Returns 16 hex digits, most significant first. */
export function u64ToHex(bytes: Uint8Array, at = 0): string {
  return u64ToBigInt(bytes, at).toString(16).padStart(16, '0');
}

export function u64Low(bytes: Uint8Array, at = 0): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function u64High(bytes: Uint8Array, at = 0): number {
  return u64Low(bytes, at + 4);
}

export function u64Equals(a: Uint8Array, b: Uint8Array, atA = 0, atB = 0): boolean {
  for (let i = 0; i < 8; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}

/** Converts ns to µs, rounded down. Exact for 285 years of uptime. */
export function nanosToMicros(bytes: Uint8Array, at = 0): number {
  const high = u64High(bytes, at);
  const low = u64Low(bytes, at);
  // 2^32 ns = 4294967 µs and 296 ns
  return high * 4294967 + Math.floor((high * 296 + low) / 1000);
}

export const U64_ZERO: Buffer = Buffer.alloc(8);

/** Limit of sequence numbers and of times in µs (the year 2112): sums of two are still exact. */
export const MAX_LONG: number = 2 ** 52 - 1;
