import assert from 'node:assert/strict';
import test from 'node:test';
import { type Event, type EventBatch, EventView, encode, IPPROTO, records, SOCK, UNSIGNED } from '@ringfence/wire';
import { catalogue, eventKinds } from '../src/catalogue.ts';
import { documentOf } from '../src/document.ts';

const { AF_ALG, AF_INET, AF_PACKET, AF_UNIX, AF_VSOCK } = records.AddressFamily;
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (bytes: string | Buffer) => ({ bytes: Buffer.from(bytes), length: bytes.length });
const OWN = Buffer.from([10, 0, 0, 1]);
const PEER = Buffer.from([192, 0, 2, 7]);
const ends = { family: AF_INET, protocol: IPPROTO.TCP, address: PEER, port: 443, localAddress: OWN, localPort: 50000 };

/** Fields of one event without those that every event has. */
function fieldsOf(body: object, peers: EventBatch['peers'] = []): Record<string, unknown> {
  const event = {
    lane: 1,
    cpu: 0,
    sequence: 1,
    ktime: 5,
    late: false,
    tgid: 7,
    tid: 7,
    start: u64(1),
    cgroup: u64(1),
    execId: 0,
    body: body as Event['body'],
  };
  const bytes = encode('EventBatch', {
    hostId: 'h',
    bootId: 'b',
    run: u64(1),
    wallOffset: 0,
    sentAt: 0,
    receivedAt: 0,
    lanes: [],
    containers: [],
    peers,
    processes: [],
    events: [{ process: -1, container: -1, writer: -1, writtenAgo: -1, partial: '', event }],
    ...UNSIGNED,
  });
  const view = new EventView();
  view.open(bytes);
  assert.ok(view.next());
  const kind = eventKinds.names[eventKinds.of(view)] ?? '';
  const {
    '@timestamp': _,
    'event.id': __,
    'host.id': ___,
    'event.category': category,
    ...rest
  } = documentOf(view, catalogue.fields, kind);
  assert.equal(category, 'network');
  return Object.fromEntries(
    Object.entries(rest).filter(([name]) => /^(event|evt|source|destination|network|dns|tls|ringfence)\./.test(name)),
  );
}

const addresses = {
  'source.ip': '10.0.0.1',
  'source.port': 50000,
  'destination.ip': '192.0.2.7',
  'destination.port': 443,
};
const reversed = {
  'source.ip': '192.0.2.7',
  'source.port': 443,
  'destination.ip': '10.0.0.1',
  'destination.port': 50000,
};
const tcp = { 'network.transport': 'tcp', 'network.type': 'ipv4' };

test('a flow has both ends, bytes by direction, and its duration', () => {
  const flow = { ...ends, duration: 1500, sent: u64(2 ** 40), received: u64(7), error: 104 };
  const common = { ...tcp, 'event.action': 'flow', 'event.duration': 1_500_000, 'ringfence.flow.error': 104 };
  const bytes = { 'network.bytes': 2 ** 40 + 7 };
  assert.deepEqual(fieldsOf({ 'ringfence.Flow': { ...flow, incoming: false } }), {
    ...common,
    ...addresses,
    ...bytes,
    'network.direction': 'egress',
    'source.bytes': 2 ** 40,
    'destination.bytes': 7,
  });
  assert.deepEqual(fieldsOf({ 'ringfence.Flow': { ...flow, incoming: true } }), {
    ...common,
    ...reversed,
    ...bytes,
    'network.direction': 'ingress',
    'source.bytes': 7,
    'destination.bytes': 2 ** 40,
  });
});

test('datagrams have both ends, their number, and their result', () => {
  const datagram = {
    ...ends,
    protocol: IPPROTO.UDP,
    sent: u64(10),
    received: u64(20),
    result: -13,
    count: 3,
    path: text(''),
    incoming: false,
    sourceCaller: false,
  };
  assert.deepEqual(fieldsOf({ 'ringfence.Datagram': datagram }), {
    ...addresses,
    'evt.type': 'sendto',
    'network.transport': 'udp',
    'network.type': 'ipv4',
    'network.direction': 'egress',
    'network.bytes': 30,
    'network.packets': 3,
    'source.bytes': 10,
    'destination.bytes': 20,
    'event.action': 'datagram',
    'event.outcome': 'failure',
    'event.result': -13,
  });
});

test('DNS and TLS are parsed from the packet', () => {
  const answer = Buffer.from(
    'beef81800001000100000000076578616d706c6503636f6d0000010001c00c000100010000003c0004c0000201',
    'hex',
  );
  const packet = { ...ends, protocol: IPPROTO.UDP, port: 53, content: 1, egress: false, payload: text(answer) };
  const dns = {
    ...reversed,
    'source.port': 53,
    'network.transport': 'udp',
    'network.type': 'ipv4',
    'network.direction': 'ingress',
    'network.protocol': 'dns',
    'event.action': 'dns',
    'evt.type': 'dns',
  };
  assert.deepEqual(fieldsOf({ 'ringfence.Packet': packet }), {
    ...dns,
    'dns.type': 'answer',
    'dns.question.name': 'example.com',
    'dns.question.type': 'A',
    'dns.answers.data': ['192.0.2.1'],
    'dns.resolved_ip': ['192.0.2.1'],
    'dns.response_code': 'NOERROR',
  });
  assert.deepEqual(fieldsOf({ 'ringfence.Packet': { ...packet, payload: text('no dns at all') } }), dns);
  assert.deepEqual(fieldsOf({ 'ringfence.Packet': { ...ends, content: 2, egress: true, payload: text('\x16') } }), {
    ...addresses,
    ...tcp,
    'network.direction': 'egress',
    'network.protocol': 'tls',
    'event.action': 'tls',
    'evt.type': 'tls',
  });
});

const socket = {
  family: AF_INET,
  type: SOCK.STREAM,
  protocol: IPPROTO.TCP,
  address: OWN,
  port: 4444,
  contextId: 0,
  operation: 3,
  result: 0,
  backlog: 5,
  sourceCaller: false,
  path: text(''),
};

test('the address of a listening socket is the destination', () => {
  assert.deepEqual(fieldsOf({ 'ringfence.Socket': socket }), {
    ...tcp,
    'destination.ip': '10.0.0.1',
    'destination.port': 4444,
    'event.action': 'listen',
    'evt.type': 'listen',
    'event.outcome': 'success',
    'event.result': 0,
    'ringfence.socket.family': 'AF_INET',
    'ringfence.socket.type': 'stream',
    'ringfence.socket.protocol': 6,
    'ringfence.socket.backlog': 5,
  });
});

test('packet, algorithm, vsock and unix sockets have the names of their types', () => {
  const none = { ...socket, address: Buffer.alloc(0), port: 0, protocol: 0 };
  const valuesOf = (values: object, ...names: string[]): unknown[] => {
    const fields = fieldsOf({ 'ringfence.Socket': { ...none, ...values } });
    return names.map((name) => fields[name]);
  };
  assert.deepEqual(
    valuesOf(
      { operation: 1, family: AF_PACKET, type: SOCK.RAW, protocol: 3 },
      'event.action',
      'ringfence.socket.family',
      'ringfence.socket.type',
      'network.type',
      'destination.port',
    ),
    ['socket', 'AF_PACKET', 'raw', 'packet', undefined],
  );
  assert.deepEqual(
    valuesOf({ operation: 2, family: AF_ALG, path: text('skcipher\0cbc(aes)') }, 'ringfence.socket.algorithm'),
    ['skcipher/cbc(aes)'],
  );
  assert.deepEqual(
    valuesOf(
      { operation: 2, family: AF_VSOCK, port: 70000, contextId: 0xffffffff },
      'destination.port',
      'ringfence.socket.context_id',
    ),
    [70000, 0xffffffff],
  );
  assert.deepEqual(
    valuesOf({ operation: 2, family: AF_UNIX, path: text('/run/x') }, 'network.unix.path', 'network.type'),
    ['/run/x', 'unix'],
  );
});

test('an end has the names that programs resolved to its address', () => {
  const peers = [{ address: '192.0.2.7', container: '', names: ['example.org', 'www.example.org'] }];
  const named = (change: object): unknown[] => {
    const values = { ...ends, type: SOCK.STREAM, result: 0, path: text(''), sourceCaller: false, ...change };
    const fields = fieldsOf({ 'ringfence.Connect': values }, peers);
    return [fields['source.domain'], fields['destination.domain']];
  };
  assert.deepEqual(named({}), [undefined, ['example.org', 'www.example.org']]);
  assert.deepEqual(named({ address: Buffer.from([192, 0, 2, 8]) }), [undefined, undefined]);
  const accept = fieldsOf({ 'ringfence.Accept': { ...ends, type: SOCK.STREAM, result: 4 } }, peers);
  assert.deepEqual(accept['source.domain'], ['example.org', 'www.example.org']);
});

test('a standard stream that became a socket has both ends, with the opening side as source', () => {
  const values = {
    ...{ ...ends, type: SOCK.STREAM, incoming: false, sourceCaller: false, sourceDescriptor: 3, targetDescriptor: 1 },
    ...{ call: 2, result: 1, count: 1 },
  };
  const valuesOf = (change: object, ...names: string[]): unknown[] => {
    const fields = fieldsOf({ 'ringfence.Redirect': { ...values, ...change } });
    return names.map((name) => fields[name]);
  };
  const names = ['source.ip', 'source.port', 'destination.ip', 'destination.port', 'network.direction', 'evt.type'];
  assert.deepEqual(valuesOf({}, ...names), ['10.0.0.1', 50000, '192.0.2.7', 443, 'egress', 'dup2']);
  assert.deepEqual(valuesOf({ incoming: true, call: 3 }, ...names), [
    ...['192.0.2.7', 443, '10.0.0.1', 50000, 'ingress', 'dup3'],
  ]);
  const loose = { address: Buffer.alloc(4), port: 0, call: 1 };
  assert.deepEqual(valuesOf(loose, ...names), ['10.0.0.1', 50000, undefined, undefined, undefined, 'dup']);
  assert.deepEqual(valuesOf({ result: -9 }, 'event.action', 'event.outcome', 'network.type', 'network.transport'), [
    ...['redirect', 'failure', 'ipv4', 'tcp'],
  ]);
});

test('a failed accept has no source', () => {
  const accept = { ...ends, type: SOCK.STREAM, address: Buffer.alloc(4), port: 0, result: -24 };
  const fields = fieldsOf({ 'ringfence.Accept': accept });
  assert.deepEqual(
    ['source.ip', 'source.port', 'destination.port', 'event.outcome'].map((name) => fields[name]),
    [undefined, undefined, 50000, 'failure'],
  );
});

test('a connect has its duration', () => {
  const connect = { ...ends, type: SOCK.STREAM, result: 0, path: text(''), sourceCaller: false, duration: 12 };
  assert.equal(fieldsOf({ 'ringfence.Connect': connect })['event.duration'], 12_000);
});
