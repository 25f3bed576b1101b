import { addressText, type EventView, escapeText, KIND, leafIndex } from '@ringfence/wire';
import type { EdgeEnd } from '../state/edge-ends.ts';
import type { HostNames } from '../state/network.ts';

const TCP = 6;
const EINPROGRESS = -115;
const SSH_PORT = 22;
/** Addresses of the host that a login may have come to, when only its log shows the login */
const MAX_ADDRESSES = 4;
const TEXT_MAX = 128;

const leavesOf = (kind: 'Connect' | 'Accept') => ({
  protocol: leafIndex(kind, 'protocol'),
  result: leafIndex(kind, 'result'),
  address: leafIndex(kind, 'address'),
  port: leafIndex(kind, 'port'),
  localAddress: leafIndex(kind, 'localAddress'),
  localPort: leafIndex(kind, 'localPort'),
});
const CONNECT = leavesOf('Connect');
const ACCEPT = leavesOf('Accept');

/** Returns this host's end of the event's connection; undefined if no other host can see it. */
export function connectionOf(event: EventView): EdgeEnd | undefined {
  const { cursor } = event;
  const outward = cursor.kind === KIND.Connect;
  const leaves = outward ? CONNECT : ACCEPT;
  const result = cursor.leafLong(leaves.result);
  if (cursor.leafLong(leaves.protocol) !== TCP || (result < 0 && result !== EINPROGRESS)) return undefined;
  const peer = endAt(event, leaves.address, leaves.port);
  const local = endAt(event, leaves.localAddress, leaves.localPort);
  if (peer === undefined || local === undefined) return undefined;
  return outward
    ? { kind: 'connection', end: 'source', detail: `tcp ${local} → ${peer}`, at: event.timestamp }
    : { kind: 'connection', end: 'destination', detail: `tcp ${peer} → ${local}`, at: event.timestamp };
}

function endAt({ cursor }: EventView, address: number, port: number): string | undefined {
  const text = addressText(cursor.buffer, cursor.leafAt(address), cursor.leafLength(address));
  return text === undefined ? undefined : endOf(text, cursor.leafLong(port));
}

/** Loopback and link-local addresses mean another machine on every host, so they are no ends. */
function endOf(address: string, port: number): string | undefined {
  const local = /^(127\.|0\.|169\.254\.|::1?$|fe[89ab])/.test(address);
  if (local || port <= 0 || port > 65_535) return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Returns the address that a connection came from; undefined if this host did not accept it. */
export function peerOf({ kind, end, detail }: EdgeEnd): string | undefined {
  if (kind !== 'connection' || end !== 'destination') return undefined;
  return /^tcp \[?([0-9a-f.:]+?)\]?:\d+ → /.exec(detail)?.[1];
}

const log = (name: string): number => leafIndex('Log', name);
const LOG = {
  origin: log('origin'),
  action: log('action'),
  outcome: log('outcome'),
  sourceAddress: log('sourceAddress'),
  sourcePort: log('sourcePort'),
  fingerprint: log('fingerprint'),
};

export interface Login {
  /** undefined: without a key */
  readonly key: EdgeEnd | undefined;
  /** One for each address of the host that the login may have come to */
  readonly connections: readonly EdgeEnd[];
}

/** Returns the successful login that the line of sshd's log reports; undefined for any other line. */
export function loginOf(event: EventView, addresses: readonly string[]): Login | undefined {
  const { cursor, timestamp: at } = event;
  const text = (leaf: number): string => escapeText(cursor.leafText(leaf)).slice(0, TEXT_MAX);
  if (text(LOG.action) !== 'ssh-login' || text(LOG.outcome) !== 'success') return undefined;
  // Filebeat's lines are unsigned.
  if (text(LOG.origin) === 'filebeat') return undefined;
  const fingerprint = text(LOG.fingerprint);
  const peer = endOf(text(LOG.sourceAddress).replace(/^::ffff:(?=\d+\.)/, ''), cursor.leafLong(LOG.sourcePort));
  const sameFamily = addresses.filter((address) => address.includes(':') === peer?.startsWith('['));
  const ends =
    peer === undefined ? [] : sameFamily.slice(0, MAX_ADDRESSES).flatMap((text) => endOf(text, SSH_PORT) ?? []);
  return {
    key: fingerprint === '' ? undefined : { kind: 'key', end: '', detail: `key ${fingerprint}`, at },
    connections: ends.map((to) => ({ kind: 'connection', end: 'destination', detail: `tcp ${peer} → ${to}`, at })),
  };
}

const HOST = { hostname: leafIndex('HostContext', 'hostname'), addresses: leafIndex('HostContext', 'addresses') };

/** Returns the name and the addresses that the agent reports of its host. */
export function namesOf({ cursor }: EventView): HostNames {
  const addresses = cursor.leafText(HOST.addresses).slice(0, 2048).split(' ').slice(0, 32);
  return { hostname: escapeText(cursor.leafText(HOST.hostname)).slice(0, TEXT_MAX), addresses };
}
