import { addressText, IPPROTO } from '@ringfence/wire';

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const WITH_PORTS: ReadonlySet<number> = new Set([IPPROTO.TCP, IPPROTO.UDP, IPPROTO.SCTP, IPPROTO.UDPLITE]);
/** Hop-by-hop, routing, destination options */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const FRAGMENT = 44;
const EXTENSIONS_MAX = 8;

export interface PacketFilter {
  readonly addresses: ReadonlySet<string>;
  readonly ports: ReadonlySet<number>;
}

interface Ends {
  readonly addresses: readonly string[];
  /** Where the ports are; null: the packet has none, as later fragments have */
  readonly ports: number | null;
  readonly isFragment: boolean;
}

/** Whether a packet has one of the addresses and one of the ports. A later fragment passes: its ports are not known. */
export function passes({ addresses, ports }: PacketFilter, protocol: number, bytes: Buffer): boolean {
  if (addresses.size === 0 && ports.size === 0) return true;
  const ends = protocol === ETH_P_IP ? endsOf4(bytes) : protocol === ETH_P_IPV6 ? endsOf6(bytes) : null;
  if (ends === null) return false;
  if (addresses.size > 0 && !ends.addresses.some((address) => addresses.has(address))) return false;
  if (ports.size === 0 || ends.isFragment) return true;
  const at = ends.ports;
  if (at === null || bytes.length < at + 4) return false;
  return ports.has(bytes.readUInt16BE(at)) || ports.has(bytes.readUInt16BE(at + 2));
}

function endsOf4(bytes: Buffer): Ends | null {
  if (bytes.length < 20) return null;
  const length = ((bytes[0] as number) & 0x0f) * 4;
  const isFragment = (bytes.readUInt16BE(6) & 0x1fff) !== 0;
  const hasPorts = WITH_PORTS.has(bytes[9] as number);
  const addresses = [addressText(bytes, 12, 4) ?? '', addressText(bytes, 16, 4) ?? ''];
  return { addresses, ports: hasPorts ? length : null, isFragment: isFragment && hasPorts };
}

function endsOf6(bytes: Buffer): Ends | null {
  if (bytes.length < 40) return null;
  const addresses = [addressText(bytes, 8, 16) ?? '', addressText(bytes, 24, 16) ?? ''];
  let [next, at] = [bytes[6] as number, 40];
  for (let i = 0; i < EXTENSIONS_MAX && bytes.length >= at + 8; i++) {
    if (next === FRAGMENT && (bytes.readUInt16BE(at + 2) & 0xfff8) !== 0)
      return { addresses, ports: null, isFragment: WITH_PORTS.has(bytes[at] as number) };
    if (next !== FRAGMENT && !EXTENSIONS.has(next)) break;
    const length = next === FRAGMENT ? 8 : 8 + (bytes[at + 1] as number) * 8;
    [next, at] = [bytes[at] as number, at + length];
  }
  return { addresses, ports: WITH_PORTS.has(next) ? at : null, isFragment: false };
}
