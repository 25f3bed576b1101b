import { constants } from 'node:os';
import type { EventValues } from '@ringfence/synthetic';
import { records } from '@ringfence/wire';
import type { Facts } from './facts.ts';
import { BITS_64, type NamedValue, numberNamed } from './names.ts';

/** An id that a system call leaves as it is. */
const ID_STAYS = 0xffff_ffffn;
const TRANSPORTS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, sctp: 132 };
const DNS_TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  NULL: 10,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
};
const RESPONSE_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
/** DNS flags: a query that asks for recursion, and an answer to one. */
const QUERY = 0x0100;
const ANSWER = 0x8180;

/** Returns the number behind the name that the event gives, or undefined. */
export function named(facts: Facts, value: NamedValue): number | undefined {
  const name = facts.text(value.field);
  return name === undefined ? undefined : Number(numberNamed(value, name) ?? name);
}

/** Returns the bits behind the names that the event gives. */
export function bits(facts: Facts, value: NamedValue): bigint {
  const names = facts.list(value.field) ?? [];
  return names.reduce((all, name) => all | BigInt(numberNamed(value, name) ?? 0), 0n);
}

export const transportOf = (facts: Facts): number | undefined => TRANSPORTS[facts.text('network.transport') ?? ''];

export function signalOf(facts: Facts): number | undefined {
  const name = facts.text('signal.name') as keyof typeof constants.signals | undefined;
  return facts.number('signal.number') ?? (name === undefined ? undefined : constants.signals[name]);
}

export const familyOf = (address: Uint8Array): number => (address.length === 16 ? 10 : 2);

/** Returns both ends of a connection. @param isIncoming the other machine is the source */
export function ends(
  facts: Facts,
  protocol: number,
  isIncoming: boolean = facts.text('network.direction') === 'ingress',
): EventValues {
  const end = (side: string, ip: string, port: number) => ({
    address: bytesOf(facts.text(`${side}.ip`) ?? ip),
    port: facts.number(`${side}.port`) ?? port,
  });
  const [local, peer] = isIncoming
    ? [end('destination', '10.0.0.1', 80), end('source', '10.0.0.9', 40_000)]
    : [end('source', '10.0.0.1', 40_000), end('destination', '10.0.0.9', 443)];
  return {
    ...peer,
    family: familyOf(peer.address),
    protocol: transportOf(facts) ?? protocol,
    localAddress: local.address,
    localPort: local.port,
    incoming: isIncoming,
  };
}

/** Returns the bytes that each end of a connection has sent. */
export function traffic(facts: Facts): EventValues {
  const isIncoming = facts.text('network.direction') === 'ingress';
  const [source, destination] = [facts.number('source.bytes') ?? 0, facts.number('destination.bytes') ?? 0].map(BigInt);
  return isIncoming ? { sent: destination!, received: source! } : { sent: source!, received: destination! };
}

/** Returns CLONE_* of a fork. */
export const forkFlags = (facts: Facts): bigint =>
  bits(facts, { kind: 'Fork', leaf: 'flags', field: 'process.clone.flags', candidates: BITS_64 });

/** Returns what a failed attempt asked for: flags of a fork, ids, or capabilities. */
export function askedFor(facts: Facts): EventValues {
  const forkFailed = records.AttemptOperation.ATTEMPT_FORK_FAILED;
  const flags = {
    kind: 'Attempt',
    leaf: 'first',
    field: 'process.clone.flags',
    beside: { operation: forkFailed },
    candidates: BITS_64,
  } as const;
  const capset = { call: records.AttemptCall.CALL_CAPSET };
  const capabilities = {
    kind: 'Attempt',
    leaf: 'first',
    field: 'attempt.capabilities',
    beside: capset,
    candidates: BITS_64,
  } as const;
  const ids = facts.list('attempt.user.ids') ?? facts.list('attempt.group.ids');
  if (ids === undefined) return { first: bits(facts, flags) | bits(facts, capabilities) };
  const [first = ID_STAYS, second = ID_STAYS, third = ID_STAYS] = ids.map(BigInt);
  return { first, second, third };
}

/** Returns the bytes of an address: four of IPv4, 16 of IPv6. */
export function bytesOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const hex = address.replace(/\d+(?:\.\d+){3}$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = hex.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), tail === undefined ? [] : words(tail)];
  const zeros = Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  return Buffer.from([...before, ...zeros, ...after].slice(0, 8).flatMap((word) => [word >> 8, word & 0xff]));
}

/** Returns a DNS message with the question that the event gives. */
export function dnsMessage(facts: Facts): Buffer {
  const name = facts.text('dns.question.name') ?? 'example.com';
  const type = facts.text('dns.question.type') ?? 'A';
  const isAnswer = facts.text('dns.type') === 'answer';
  const code = RESPONSE_CODES.indexOf(facts.text('dns.response_code') ?? 'NOERROR');
  const flags = isAnswer ? ANSWER | Math.max(0, code) : QUERY;
  const number = DNS_TYPES[type] ?? Number(type.replace('TYPE', ''));
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const answers = isAnswer ? (facts.list('dns.resolved_ip') ?? []).map(addressRecord) : [];
  const head = Buffer.from([0, 1, flags >> 8, flags & 255, 0, 1, 0, answers.length, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, number >> 8, number & 255, 0, 1]), ...answers]);
}

/** Returns a record A or AAAA of the name in the question, which begins at byte 12. */
function addressRecord(address: string): Buffer {
  const bytes = bytesOf(address);
  const type = bytes.length === 16 ? 28 : 1;
  return Buffer.concat([Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length]), bytes]);
}
