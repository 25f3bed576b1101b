import {
  addressText,
  type BytesLeaf,
  type EventView,
  escapeText,
  IPPROTO,
  KIND,
  type LongLeaf,
  leaf,
  records,
} from '@ringfence/wire';
import type { EdgeEnd } from '../state/edge-ends.ts';
import type { HostNames } from '../state/network.ts';

const SSH_PORT = 22;
/** Addresses of the host that a login may have come to, when only its log shows the login */
const MAX_ADDRESSES = 4;
const TEXT_MAX = 128;

/** Returns this host's end of the event's connection; undefined if no other host can see it. */
export function connectionOf(event: EventView): EdgeEnd | undefined {
  const { cursor } = event;
  const outward = cursor.kind === KIND.Connect;
  const leaves = outward ? leaf.Connect : leaf.Accept;
  const result = cursor.leafLong(leaves.result);
  if (cursor.leafLong(leaves.protocol) !== IPPROTO.TCP) return undefined;
  if (result < 0 && result !== -records.Errno.EINPROGRESS) return undefined;
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

function endAt({ cursor }: EventView, address: BytesLeaf, port: LongLeaf): Endpoint | undefined {
  const text = addressText(cursor.buffer, cursor.leafAt(address), cursor.leafLength(address));
  return text === undefined ? undefined : endOf(text, cursor.leafLong(port));
}

/** Loopback and link-local addresses mean another machine on every host, so they are no ends. */
function endOf(address: string, port: number): Endpoint | undefined {
  const local = /^(127\.|0\.|169\.254\.|::1?$|fe[89ab])/.test(address);
  if (local || port <= 0 || port > 65_535) return undefined;
  return { address, text: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}` };
}

export interface Login {
  /** undefined: without a key */
  readonly key: EdgeEnd | undefined;
  /** One for each address of the host that the login may have come to */
  readonly connections: readonly EdgeEnd[];
}

/** Returns the successful login that the line of sshd's log reports; undefined for any other line. */
export function loginOf(event: EventView, addresses: readonly string[]): Login | undefined {
  const { cursor, timestamp: at } = event;
  const text = (field: BytesLeaf): string => escapeText(cursor.leafText(field)).slice(0, TEXT_MAX);
  if (text(leaf.Log.action) !== 'ssh-login' || text(leaf.Log.outcome) !== 'success') return undefined;
  // Filebeat's lines are unsigned.
  if (text(leaf.Log.origin) === 'filebeat') return undefined;
  const fingerprint = text(leaf.Log.fingerprint);
  const peer = endOf(
    text(leaf.Log.sourceAddress).replace(/^::ffff:(?=\d+\.)/, ''),
    cursor.leafLong(leaf.Log.sourcePort),
  );
  const sameFamily = addresses.filter((address) => address.includes(':') === peer?.address.includes(':'));
  const ends = sameFamily.slice(0, MAX_ADDRESSES).flatMap((text) => endOf(text, SSH_PORT) ?? []);
  return {
    key: fingerprint === '' ? undefined : { kind: 'key', side: 'none', detail: `key ${fingerprint}`, source: '', at },
    connections: peer === undefined ? [] : ends.map((end) => connectionEnd('destination', peer, end, at)),
  };
}

/** Returns the name and the addresses that the agent reports of its host. */
export function namesOf({ cursor }: EventView): HostNames {
  const addresses = cursor.leafText(leaf.HostContext.addresses).slice(0, 2048).split(' ').slice(0, 32);
  return { hostname: escapeText(cursor.leafText(leaf.HostContext.hostname)).slice(0, TEXT_MAX), addresses };
}
