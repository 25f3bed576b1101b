import type { TestProcess } from '@ringfence/testkit';
import type { Scene } from './support.ts';

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, NULL: 10, TXT: 16, AAAA: 28 };
const PACKET_DNS = 1;

/** `process` asks for a name: a datagram to the resolver. */
export function asksFor(s: Scene, process: TestProcess, name: string, type = 'A'): void {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const payload = Buffer.concat([head, ...labels, Buffer.from([0, 0, TYPES[type] ?? 1, 0, 1])]);
  const ends = { family: 2, protocol: 17, port: 53, address: '10.0.0.53', localAddress: '10.0.0.1', localPort: 40_000 };
  s.event(process, 'Packet', { ...ends, content: PACKET_DNS, egress: true, payload });
}
