import ipaddr from 'ipaddr.js';

export interface Network {
  /** In canonical form: 10.0.0.0/8. */
  readonly text: string;
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}

/**
 * Returns the address as field values spell it (RFC 5952; a mapped IPv4 address as IPv4); undefined: it is no address.
 */
export function canonicalIp(text: string): string | undefined {
  if (!(ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text))) return undefined;
  const address = ipaddr.process(text);
  return address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}

/** Parses a network in CIDR notation; an address alone is a network of one. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const base = canonicalIp(slash === -1 ? text : text.slice(0, slash));
  if (base === undefined) return undefined;
  const address = ipaddr.parse(base);
  const most = address.kind() === 'ipv4' ? 32 : 128;
  const written = slash === -1 ? String(most) : text.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(written) ? Number(written) : -1;
  if (bits < 0 || bits > most) return undefined;
  return { text: `${base}/${bits}`, address, bits };
}

/** Returns a test whether an address lies in any of the networks; it is false for text that is no address. */
export function compileNetworks(networks: readonly Network[]): (text: string) => boolean {
  const v4 = new Map<number, Set<number>>();
  const v6: (readonly [ipaddr.IPv6, number])[] = [];
  for (const { address, bits } of networks) {
    if (address.kind() === 'ipv6') v6.push([address as ipaddr.IPv6, bits]);
    else {
      const masked = mask(parseV4(address.toString()), bits);
      v4.set(bits, (v4.get(bits) ?? new Set()).add(masked));
    }
  }
  const widths = [...v4];
  return (text) => {
    const number = parseV4(text);
    if (number >= 0) return widths.some(([bits, bases]) => bases.has(mask(number, bits)));
    if (v6.length === 0 || !ipaddr.IPv6.isValid(text)) return false;
    const address = ipaddr.process(text);
    if (address.kind() === 'ipv4')
      return widths.some(([bits, bases]) => bases.has(mask(parseV4(address.toString()), bits)));
    return v6.some(([base, bits]) => (address as ipaddr.IPv6).match(base, bits));
  };
}

function mask(address: number, bits: number): number {
  return bits === 0 ? 0 : (address & (-1 << (32 - bits))) >>> 0;
}

/**
 * Returns a dotted IPv4 address as an unsigned number, -1 for anything else. It runs per event, so it does not
 * allocate.
 */
function parseV4(text: string): number {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) {
      part = (part === -1 ? 0 : part * 10) + code - 48;
      if (part > 255) return -1;
    } else if (code === 46 && part >= 0 && dots < 3) {
      value = value * 256 + part;
      part = -1;
      dots++;
    } else return -1;
  }
  return dots === 3 && part >= 0 ? value * 256 + part : -1;
}
