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
import type { Tie } from '../state/ties.ts';

const SSH_PORT = 22;
/** of a host's own, per login that only its log tells of */
const MAX_ADDRESSES = 4;
const TEXT_MAX = 128;

/** The connection that the event is one end of; undefined: none that another host could see as well. */
export function connectionOf(event: EventView): Tie | undefined {
  const { cursor } = event;
  const outward = cursor.kind === KIND.Connect;
  const leaves = outward ? leaf.Connect : leaf.Accept;
  const result = cursor.leafLong(leaves.result);
  if (cursor.leafLong(leaves.protocol) !== IPPROTO.TCP || (result < 0 && result !== -records.Errno.EINPROGRESS))
    return undefined;
  const peer = endAt(event, leaves.address, leaves.port);
  const own = endAt(event, leaves.localAddress, leaves.localPort);
  if (peer === undefined || own === undefined) return undefined;
  return outward
    ? { kind: 'connection', end: 'source', detail: `tcp ${own} → ${peer}`, at: event.timestamp }
    : { kind: 'connection', end: 'destination', detail: `tcp ${peer} → ${own}`, at: event.timestamp };
}

function endAt({ cursor }: EventView, address: BytesLeaf, port: LongLeaf): string | undefined {
  const text = addressText(cursor.buffer, cursor.leafAt(address), cursor.leafLength(address));
  return text === undefined ? undefined : endOf(text, cursor.leafLong(port));
}

/** Addresses that mean another machine on every host tie nothing together. */
function endOf(address: string, port: number): string | undefined {
  const local = /^(127\.|0\.|169\.254\.|::1?$|fe[89ab])/.test(address);
  if (local || port <= 0 || port > 65_535) return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The address that a connection came from; undefined: it was not accepted here. */
export function peerOf({ kind, end, detail }: Tie): string | undefined {
  if (kind !== 'connection' || end !== 'destination') return undefined;
  return /^tcp \[?([0-9a-f.:]+?)\]?:\d+ → /.exec(detail)?.[1];
}

export interface Login {
  /** undefined: no key was used */
  readonly key: Tie | undefined;
  /** one for each own address that it may have come to */
  readonly connections: readonly Tie[];
}

/** What sshd's log says about a login that succeeded; undefined: it is of something else. */
export function loginOf(event: EventView, addresses: readonly string[]): Login | undefined {
  const { cursor, timestamp: at } = event;
  const text = (field: BytesLeaf): string => escapeText(cursor.leafText(field)).slice(0, TEXT_MAX);
  if (text(leaf.Log.action) !== 'ssh-login' || text(leaf.Log.outcome) !== 'success') return undefined;
  // Nobody signed it.
  if (text(leaf.Log.origin) === 'filebeat') return undefined;
  const fingerprint = text(leaf.Log.fingerprint);
  const peer = endOf(
    text(leaf.Log.sourceAddress).replace(/^::ffff:(?=\d+\.)/, ''),
    cursor.leafLong(leaf.Log.sourcePort),
  );
  const likely = addresses.filter((one) => one.includes(':') === peer?.startsWith('[')).slice(0, MAX_ADDRESSES);
  const owns = peer === undefined ? [] : likely.flatMap((address) => endOf(address, SSH_PORT) ?? []);
  return {
    key: fingerprint === '' ? undefined : { kind: 'key', end: '', detail: `key ${fingerprint}`, at },
    connections: owns.map((own) => ({ kind: 'connection', end: 'destination', detail: `tcp ${peer} → ${own}`, at })),
  };
}

export interface HostNames {
  readonly hostname: string;
  readonly addresses: readonly string[];
}

export function namesOf({ cursor }: EventView): HostNames {
  const addresses = cursor.leafText(leaf.HostContext.addresses).slice(0, 2048).split(' ').slice(0, 32);
  return { hostname: escapeText(cursor.leafText(leaf.HostContext.hostname)).slice(0, TEXT_MAX), addresses };
}
