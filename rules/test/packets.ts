import type { TestProcess } from '@ringfence/testkit';
import { IPPROTO, records } from '@ringfence/wire';
import type { Scene } from './support.ts';

const { AF_INET } = records.AddressFamily;
const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, NULL: 10, TXT: 16, AAAA: 28 };
const PACKET_DNS = 1;

const ends = {
  family: AF_INET,
  protocol: IPPROTO.UDP,
  port: 53,
  address: '10.0.0.53',
  localAddress: '10.0.0.1',
  localPort: 40_000,
};

function message(name: string, type: string, flags: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const head = Buffer.from([0, 1, flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, TYPES[type] ?? 1, 0, 1])]);
}

/** `process` asks for a name: a datagram to the resolver. */
export function asksFor(s: Scene, process: TestProcess, name: string, type = 'A'): void {
  s.event(process, 'Packet', { ...ends, content: PACKET_DNS, egress: true, payload: message(name, type, 0x100) });
}

/** `process` is told that nobody has the name. */
export function nobodyHas(s: Scene, process: TestProcess, name: string): void {
  s.event(process, 'Packet', { ...ends, content: PACKET_DNS, egress: false, payload: message(name, 'A', 0x8183) });
}
