import type { EventView } from '@ringfence/wire';
import { KIND, type KindName, kindName, leafIndex } from '@ringfence/wire';
import { bodyLong, type Field } from './field.ts';

/** Kinds that count bytes. */
const COUNTED = ['Flow', 'Datagram'] as const;
const TIMED = ['Connect', 'Flow'] as const;
const kinds = COUNTED.map(kindName);

const byKind = <T>(names: readonly KindName[], get: (kind: KindName) => T): ReadonlyMap<number, T> =>
  new Map(names.map((kind) => [KIND[kind], get(kind)]));

const leaves = byKind(COUNTED, (kind) => ({ sent: leafIndex(kind, 'sent'), received: leafIndex(kind, 'received') }));
const incoming = byKind(COUNTED, (kind) => bodyLong(kind, 'incoming'));
const durations = byKind(TIMED, (kind) => bodyLong(kind, 'duration'));
const datagrams = bodyLong('Datagram', 'count');
const error = bodyLong('Flow', 'error');

/** Bytes beyond 2^53 are nobody's. */
function bytesOf({ cursor }: EventView, leaf: number): number {
  const at = cursor.leafAt(leaf);
  return cursor.buffer.readUInt32LE(at) + cursor.buffer.readUInt32LE(at + 4) * 2 ** 32;
}

function bytes(event: EventView, side: 'source' | 'destination'): number | undefined {
  const places = leaves.get(event.cursor.kind);
  if (places === undefined) return undefined;
  const isPeer = (incoming.get(event.cursor.kind)?.(event) !== 0) === (side === 'source');
  return bytesOf(event, isPeer ? places.received : places.sent);
}

/** How much, and how long. */
export const trafficFields: readonly Field[] = [
  {
    name: 'source.bytes',
    type: 'number',
    doc: 'Bytes that the source has sent: of a flow all, of a datagram those since the last event.',
    kinds,
    get: (event) => bytes(event, 'source'),
  },
  {
    name: 'destination.bytes',
    type: 'number',
    doc: 'Bytes that the destination has sent back.',
    kinds,
    get: (event) => bytes(event, 'destination'),
  },
  {
    name: 'network.bytes',
    type: 'number',
    doc: 'Bytes in both directions.',
    kinds,
    get: (event) => {
      const places = leaves.get(event.cursor.kind);
      return places && bytesOf(event, places.sent) + bytesOf(event, places.received);
    },
  },
  {
    name: 'network.packets',
    type: 'number',
    doc: 'Datagrams in both directions.',
    kinds: ['datagram'],
    get: datagrams,
  },
  {
    name: 'event.duration',
    type: 'number',
    doc: 'Nanoseconds, to the microsecond: of a connect, the call; of a flow, since it was established.',
    kinds: TIMED.map(kindName),
    get: (event) => (durations.get(event.cursor.kind)?.(event) ?? 0) * 1000,
  },
  {
    name: 'ringfence.flow.error',
    type: 'number',
    doc: 'Why the connection ended: an errno (104: reset, 110: timed out, 111: refused), or 0.',
    kinds: ['flow'],
    get: error,
  },
];
