import { type EventView, IPPROTO, leaf, records } from '@ringfence/wire';
import { bodyLong, type Field } from '../field.ts';
import { type DnsMessage, parseDns } from './dns.ts';
import { parseTlsHello, type TlsHello } from './tls.ts';

const content = bodyLong(leaf.Packet.content);
const protocol = bodyLong(leaf.Packet.protocol);
const kinds = ['packet'];

function payload({ cursor }: EventView): Uint8Array {
  const at = cursor.leafAt(leaf.Packet.payloadBytes);
  return cursor.buffer.subarray(at, at + cursor.leafLength(leaf.Packet.payloadBytes));
}

function dns(event: EventView): DnsMessage | undefined {
  return content(event) === records.PacketContent.PACKET_DNS
    ? parseDns(payload(event), protocol(event) === IPPROTO.TCP)
    : undefined;
}

function hello(event: EventView): TlsHello | undefined {
  return content(event) === records.PacketContent.PACKET_TLS ? parseTlsHello(payload(event)) : undefined;
}

/** Maps an empty list to undefined. */
const nonEmptyList = (values: readonly string[] | undefined): readonly string[] | undefined =>
  values === undefined || values.length === 0 ? undefined : values;

/** Content of packets: DNS and the beginning of TLS. */
export const packetFields: readonly Field[] = [
  {
    name: 'network.protocol',
    type: 'string',
    doc: 'Content of the packet: dns or tls. Always dns on port 53; the dns fields are absent if the packet is not DNS.',
    kinds,
    get: (event) =>
      ({ [records.PacketContent.PACKET_DNS]: 'dns', [records.PacketContent.PACKET_TLS]: 'tls' })[content(event)],
  },
  { name: 'dns.type', type: 'string', doc: 'query or answer.', kinds, oneOf: ['query', 'answer'], get: typeOf },
  {
    name: 'dns.question.name',
    type: 'string',
    doc: 'Queried name in lower case, without the last dot; unprintable bytes as \\DDD.',
    aliases: ['QueryName'],
    kinds,
    get: (event) => dns(event)?.questions[0]?.name,
  },
  {
    name: 'dns.question.type',
    type: 'string',
    doc: 'A, AAAA, TXT, PTR, …; TYPE and a number for other types.',
    aliases: ['record_type'],
    kinds,
    get: (event) => dns(event)?.questions[0]?.type,
  },
  {
    name: 'dns.answers.data',
    type: 'strings',
    doc: 'Answers in the first 512 bytes: addresses and names, or type and size of other records.',
    aliases: ['QueryResults'],
    kinds,
    get: (event) => nonEmptyList(dns(event)?.answers.map(({ data }) => data)),
  },
  {
    name: 'dns.resolved_ip',
    type: 'strings',
    doc: 'Addresses in the answer.',
    kinds,
    get: (event) => nonEmptyList(dns(event)?.addresses),
  },
  {
    name: 'dns.response_code',
    type: 'string',
    doc: 'Response code of an answer: NOERROR, NXDOMAIN, SERVFAIL, …',
    kinds,
    get: (event) => {
      const message = dns(event);
      return message?.response === true ? message.responseCode : undefined;
    },
  },
  {
    name: 'tls.client.server_name',
    type: 'string',
    doc: 'Server name that a TLS client requests (SNI), in lower case.',
    kinds,
    get: (event) => hello(event)?.serverName,
  },
  {
    name: 'tls.client.next_protocol',
    type: 'strings',
    doc: 'Protocols that a TLS client offers (ALPN): h2, http/1.1.',
    kinds,
    get: (event) => nonEmptyList(hello(event)?.protocols),
  },
];

function typeOf(event: EventView): string | undefined {
  const message = dns(event);
  return message && (message.response ? 'answer' : 'query');
}
