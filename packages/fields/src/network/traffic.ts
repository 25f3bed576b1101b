import { type EventView, type FixedLeaf, KIND, leaf } from '@ringfence/wire';
import { bodyLong, type Field } from '../field.ts';

/** Leaves of the kinds that count bytes. */
const COUNTED = new Map<number, typeof leaf.Flow | typeof leaf.Datagram>([
  [KIND.Flow, leaf.Flow],
  [KIND.Datagram, leaf.Datagram],
]);
const DURATIONS = new Map([
  [KIND.Connect, leaf.Connect.duration],
  [KIND.Flow, leaf.Flow.duration],
]);
const kinds = ['flow', 'datagram'];
const datagrams = bodyLong(leaf.Datagram.count);
const error = bodyLong(leaf.Flow.error);

/** Exact up to 2^53 bytes, which no connection reaches. */
function bytesOf({ cursor }: EventView, field: FixedLeaf): number {
  const at = cursor.leafAt(field);
  return cursor.buffer.readUInt32LE(at) + cursor.buffer.readUInt32LE(at + 4) * 2 ** 32;
}

function bytes(event: EventView, side: 'source' | 'destination'): number | undefined {
  const leaves = COUNTED.get(event.cursor.kind);
  if (leaves === undefined) return undefined;
  const isPeer = event.cursor.leafBoolean(leaves.incoming) === (side === 'source');
  return bytesOf(event, isPeer ? leaves.received : leaves.sent);
}

/** Traffic and duration. */
export const trafficFields: readonly Field[] = [
  {
    name: 'source.bytes',
    type: 'number',
    doc: 'Bytes that the source sent: all bytes of a flow, or the bytes of datagrams since the last event.',
    kinds,
    get: (event) => bytes(event, 'source'),
  },
  {
    name: 'destination.bytes',
    type: 'number',
    doc: 'Bytes that the destination sent back.',
    kinds,
    get: (event) => bytes(event, 'destination'),
  },
  {
    name: 'network.bytes',
    type: 'number',
    doc: 'Bytes in both directions.',
    kinds,
    get: (event) => {
      const leaves = COUNTED.get(event.cursor.kind);
      return leaves && bytesOf(event, leaves.sent) + bytesOf(event, leaves.received);
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
    doc: 'Nanoseconds, exact to the microsecond: duration of the connect call, or of the flow since it was established.',
    kinds: ['connect', 'flow'],
    get: ({ cursor }) => {
      const duration = DURATIONS.get(cursor.kind);
      return duration === undefined ? 0 : cursor.leafLong(duration) * 1000;
    },
  },
  {
    name: 'ringfence.flow.error',
    type: 'number',
    doc: 'Why the connection ended: an errno (104: reset, 110: timed out, 111: refused), or 0.',
    kinds: ['flow'],
    get: error,
  },
];
