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
  const [from, to] = outward ? [local, peer] : [peer, local];
  return connectionEnd(outward ? 'source' : 'destination', from, to, event.timestamp);
}

interface Endpoint {
  readonly address: string;
  /** "10.0.0.1:22" or "[fe00::1]:22" */
  readonly text: string;
}

const connectionEnd = (side: EdgeEnd['side'], from: Endpoint, to: Endpoint, at: number): EdgeEnd => ({
  ...{ kind: 'connection', side, source: from.address, at },
  detail: `tcp ${from.text} → ${to.text}`,
});

function endAt({ cursor }: EventView, address: number, port: number): Endpoint | undefined {
  const text = addressText(cursor.buffer, cursor.leafAt(address), cursor.leafLength(address));
  return text === undefined ? undefined : endOf(text, cursor.leafLong(port));
}

/** Loopback and link-local addresses mean another machine on every host, so they are no ends. */
function endOf(address: string, port: number): Endpoint | undefined {
  const local = /^(127\.|0\.|169\.254\.|::1?$|fe[89ab])/.test(address);
  if (local || port <= 0 || port > 65_535) return undefined;
  return { address, text: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}` };
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
  const sameFamily = addresses.filter((address) => address.includes(':') === peer?.address.includes(':'));
  const ends = sameFamily.slice(0, MAX_ADDRESSES).flatMap((text) => endOf(text, SSH_PORT) ?? []);
  return {
    key: fingerprint === '' ? undefined : { kind: 'key', side: 'none', detail: `key ${fingerprint}`, source: '', at },
    connections: peer === undefined ? [] : ends.map((end) => connectionEnd('destination', peer, end, at)),
  };
}

const HOST = { hostname: leafIndex('HostContext', 'hostname'), addresses: leafIndex('HostContext', 'addresses') };

/** Returns the name and the addresses that the agent reports of its host. */
export function namesOf({ cursor }: EventView): HostNames {
  const addresses = cursor.leafText(HOST.addresses).slice(0, 2048).split(' ').slice(0, 32);
  return { hostname: escapeText(cursor.leafText(HOST.hostname)).slice(0, TEXT_MAX), addresses };
}
