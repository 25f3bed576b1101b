import { fingerprint } from '@ringfence/wire';

const BITS = 64;
/** Characters of the name that is chosen: some more than bits, so that their effects span all of them. */
const CHARS = 96;

/**
 * Returns a schema with the wanted fingerprint (hex): CRC-64 is linear, so 64 of the characters of a name follow from a
 * system of linear equations. `schemaWith` returns the canonical form for a name.
 */
export function collidingSchema(wanted: string, schemaWith: (name: string) => string): string {
  const print = (name: string): bigint => fingerprint(schemaWith(name)).readBigUInt64LE();
  const plain = 'a'.repeat(CHARS);
  const base = print(plain);
  /** Changes of the fingerprint by a change of some characters, as an echelon form. */
  const rows: { readonly change: bigint; readonly chars: bigint }[] = [];
  const reduced = (change: bigint, chars: bigint): { change: bigint; chars: bigint } => {
    let [left, used] = [change, chars];
    for (const row of rows) if ((left ^ row.change) < left) [left, used] = [left ^ row.change, used ^ row.chars];
    return { change: left, chars: used };
  };
  for (let i = 0; i < CHARS; i++) {
    const changed = `${plain.slice(0, i)}b${plain.slice(i + 1)}`;
    const row = reduced(print(changed) ^ base, 1n << BigInt(i));
    if (row.change === 0n) continue;
    rows.push(row);
    rows.sort((a, b) => (a.change < b.change ? 1 : -1));
  }
  if (rows.length < BITS) throw new Error(`only ${rows.length} bits of the fingerprint can be chosen`);
  const { chars } = reduced(base ^ Buffer.from(wanted, 'hex').readBigUInt64LE(), 0n);
  return schemaWith([...plain].map((char, i) => ((chars >> BigInt(i)) & 1n ? 'b' : char)).join(''));
}
