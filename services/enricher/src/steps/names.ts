import { parseDns } from '@ringfence/fields';
import { addressText, type EventCursor, KIND, type KindName, leafIndex, records } from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import type { BatchBuilder } from './batch.ts';

/** Kinds that have a peer: where its address stands. */
const PEERS = new Map(
  (['Connect', 'Accept', 'Flow', 'Datagram', 'Packet', 'Redirect', 'IoUring'] satisfies KindName[]).map((kind) => [
    KIND[kind],
    leafIndex(kind, 'address'),
  ]),
);
const PACKET = {
  content: leafIndex('Packet', 'content'),
  egress: leafIndex('Packet', 'egress'),
  protocol: leafIndex('Packet', 'protocol'),
  payload: leafIndex('Packet', 'payload.bytes'),
};
const TCP = 6;

/** Remembers what a name server has answered in a container (or on the host, ''), and says of the event's peer what it was called. */
export function followNames(boot: Boot, container: string, cursor: EventCursor, out: BatchBuilder): void {
  const leaf = PEERS.get(cursor.kind);
  if (leaf === undefined) return;
  if (cursor.kind === KIND.Packet) noteAnswers(boot, container, cursor);
  if (boot.names.size === 0) return;
  const at = cursor.leafAt(leaf);
  const length = cursor.leafLength(leaf);
  const address = addressText(cursor.buffer, at, length);
  if (address === undefined) return;
  const names = boot.names.find(container, address, cursor.ktime);
  if (names.length > 0) out.name({ address, container, names });
}

/** The name that was asked for, not those that it stands for: a rule knows the one that a program or a person wrote. */
function noteAnswers(boot: Boot, container: string, cursor: EventCursor): void {
  if (cursor.leafLong(PACKET.content) !== records.PacketContent.PACKET_DNS || cursor.leafBoolean(PACKET.egress)) return;
  const message = parseDns(cursor.leafBytes(PACKET.payload), cursor.leafLong(PACKET.protocol) === TCP);
  const name = message?.questions[0]?.name;
  if (!message?.response || name === undefined) return;
  for (const address of message.addresses) boot.names.note(container, address, name, cursor.ktime);
}
