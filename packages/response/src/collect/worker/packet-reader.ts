import { closeSync, openSync } from 'node:fs';
import { enterNamespace, type Packet, PacketSocket } from '@ringfence/host-kit';
import type { ParametersOf } from '../parameters.ts';
import type { Budget } from './budget.ts';
import { Content, type Reading } from './content.ts';
import { type PacketFilter, passes } from './packet-filter.ts';
import { alive } from './report.ts';
import { targetPath } from './target.ts';

const CLONE_NEWNET = 0x4000_0000;
const SNAP_BYTES = 256 * 1024;
/** pcap with times in ns (draft-ietf-opsawg-pcap) */
const MAGIC = 0xa1b2_3c4d;
const LINKTYPE_LINUX_SLL2 = 276;
const WAIT_MS = 100;

/** Moves this process to the network of the process that is read. Needs CAP_SYS_ADMIN. */
export function enterNetwork(): void {
  const fd = openSync(targetPath('ns/net'), 'r');
  enterNamespace(fd, CLONE_NEWNET);
  closeSync(fd);
}

/** Captures packets of all interfaces of this process's network, as pcap. */
export function readPackets(reading: Reading, parameters: ParametersOf<'packets'>): void {
  const { addresses = [], ports = [], seconds } = parameters;
  const filter = { addresses: new Set(addresses.map(canonical)), ports: new Set(ports) };
  using socket = new PacketSocket(SNAP_BYTES);
  const content = new Content(reading, { kind: 'packets', name: 'packets.pcap', source: {} });
  content.write(header());
  const endsAt = performance.now() + seconds * 1000;
  const { seen, kept } = capture(socket, content, filter, reading.budget, endsAt);
  content.note(`${kept} of ${seen} packets were kept; ${socket.lost()} were lost, because they came too fast`);
  content.finish();
}

function capture(socket: PacketSocket, content: Content, filter: PacketFilter, budget: Budget, endsAt: number) {
  let [seen, kept] = [0, 0];
  for (let now = performance.now(); now < endsAt; now = performance.now()) {
    const packet = socket.next(Math.ceil(Math.min(WAIT_MS, endsAt - now)));
    alive('packets');
    budget.allow(0);
    if (budget.cut !== '') break;
    if (packet === null) continue;
    seen++;
    if (!passes(filter, packet.link.readUInt16BE(2), packet.bytes)) continue;
    const record = recordOf(packet);
    // Half a packet would make the file unreadable.
    if (budget.allow(record.length) < record.length) break;
    kept++;
    content.write(record);
  }
  return { seen, kept };
}

/** An IPv6 address has many texts. */
function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

function header(): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(4, 6);
  bytes.writeUInt32LE(SNAP_BYTES, 16);
  bytes.writeUInt32LE(LINKTYPE_LINUX_SLL2, 20);
  return bytes;
}

/** Returns time, lengths, then the header of LINUX_SLL2 from struct sockaddr_ll, then the packet. */
function recordOf({ bytes, length, link, time }: Packet): Buffer {
  const head = Buffer.alloc(36);
  head.writeUInt32LE(Number(time / 1_000_000_000n), 0);
  head.writeUInt32LE(Number(time % 1_000_000_000n), 4);
  head.writeUInt32LE(20 + bytes.length, 8);
  head.writeUInt32LE(20 + length, 12);
  link.copy(head, 16, 2, 4);
  head.writeInt32BE(link.readInt32LE(4), 20);
  head.writeUInt16BE(link.readUInt16LE(8), 24);
  link.copy(head, 26, 10, 20);
  return Buffer.concat([head, bytes]);
}
