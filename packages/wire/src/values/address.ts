/**
 * Returns the text of an address of 4 or 16 bytes in network order; undefined for any other length. IPv6 as in RFC
 * 5952, IPv4-mapped addresses as IPv4.
 */
export function addressText(bytes: Uint8Array, at = 0, length: number = bytes.length): string | undefined {
  if (length === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  if (length !== 16) return undefined;
  const words = Array.from(
    { length: 8 },
    (_, i) => ((bytes[at + 2 * i] as number) << 8) | (bytes[at + 2 * i + 1] as number),
  );
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) return addressText(bytes, at + 12, 4);
  return compress(words);
}

/** The longest run of two or more zero words becomes `::`. */
function compress(words: readonly number[]): string {
  let best = 0;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (words[i + run] === 0) run++;
    if (run > length) [best, length] = [i, run];
  }
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return length < 2 ? hex(words) : `${hex(words.slice(0, best))}::${hex(words.slice(best + length))}`;
}
