import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address with a prefix. IPv4 is mapped (::ffff:a.b.c.d), as in the kernel's tables. */
export interface Network {
  /** 16 bytes; those behind the prefix are 0 */
  readonly bytes: Uint8Array;
  /** 0 to 128 */
  readonly bits: number;
}

const MAPPED_BITS = 96;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** The kernel compares 248 bytes of a name: a dot before the domain and one byte behind it are among them. */
const DOMAIN_MAX = 246;

/** Reads an address or a network (`192.0.2.0/24`). Bits behind the prefix are cleared. Returns null for other texts. */
export function networkOf(text: string): Network | null {
  const [, address = '', prefix] = /^([^/]{2,45})(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const isV4 = isIPv4(address);
  if (!isV4 && (!isIPv6(address) || address.includes('%'))) return null;
  const parsed = isV4 ? ipaddr.IPv4.parse(address).toIPv4MappedAddress() : ipaddr.IPv6.parse(address);
  const width = isV4 ? 32 : 128;
  const own = prefix === undefined ? width : Number(prefix);
  if (own > width) return null;
  const bytes = Uint8Array.from(parsed.toByteArray());
  const bits = own + 128 - width;
  for (let bit = bits; bit < 128; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(0x80 >> (bit & 7));
  return { bytes, bits };
}

/** The text of a network in its shortest form. */
export function networkText({ bytes, bits }: Network): string {
  const address = new ipaddr.IPv6([...bytes]);
  const isV4 = bits >= MAPPED_BITS && address.isIPv4MappedAddress();
  const text = (isV4 ? address.toIPv4Address() : address).toString();
  if (bits === 128) return text;
  return `${text}/${isV4 ? bits - MAPPED_BITS : bits}`;
}

/** Whether two networks have an address in common. */
export function overlap(one: Network, other: Network): boolean {
  const bits = Math.min(one.bits, other.bits);
  return new ipaddr.IPv6([...one.bytes]).match(new ipaddr.IPv6([...other.bytes]), bits);
}

/** Reads a domain as DNS compares it: in lower case, without the last dot. Returns null for other texts. */
export function domainOf(text: string): string | null {
  const domain = text.toLowerCase().replace(/\.$/, '');
  const isDomain = domain.length <= DOMAIN_MAX && domain.split('.').every((label) => LABEL.test(label));
  return isDomain && !isIPv4(domain) ? domain : null;
}
