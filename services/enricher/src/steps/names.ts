import { parseDns } from '@ringfence/fields';
import { addressText, type EventCursor, IPPROTO, KIND, leaf, records } from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import type { BatchBuilder } from './batch.ts';

/** Address of the peer, by kind. */
const PEERS = new Map([
  [KIND.Connect, leaf.Connect.address],
  [KIND.Accept, leaf.Accept.address],
  [KIND.Flow, leaf.Flow.address],
  [KIND.Datagram, leaf.Datagram.address],
  [KIND.Packet, leaf.Packet.address],
  [KIND.Redirect, leaf.Redirect.address],
  [KIND.IoUring, leaf.IoUring.address],
]);

/**
 * Stores the DNS answers that a container received (`''`: the host itself), and adds the names of the event's peer to
 * the batch.
 */
export function followNames(boot: Boot, container: string, cursor: EventCursor, out: BatchBuilder): void {
  const peer = PEERS.get(cursor.kind);
  if (peer === undefined) return;
  if (cursor.kind === KIND.Packet) noteAnswers(boot, container, cursor);
  if (boot.names.size === 0) return;
  const at = cursor.leafAt(peer);
  const length = cursor.leafLength(peer);
  const address = addressText(cursor.buffer, at, length);
  if (address === undefined) return;
  const names = boot.names.find(container, address, cursor.ktime);
  if (names.length > 0) out.name({ address, container, names });
}

/** Stores the name of the question, not the targets of its aliases: rules contain the names that programs use. */
function noteAnswers(boot: Boot, container: string, cursor: EventCursor): void {
  if (
    cursor.leafLong(leaf.Packet.content) !== records.PacketContent.PACKET_DNS ||
    cursor.leafBoolean(leaf.Packet.egress)
  )
    return;
  const message = parseDns(
    cursor.leafBytes(leaf.Packet.payloadBytes),
    cursor.leafLong(leaf.Packet.protocol) === IPPROTO.TCP,
  );
  const name = message?.questions[0]?.name;
  if (!message?.response || name === undefined) return;
  for (const address of message.addresses) boot.names.note(container, address, name, cursor.ktime);
}
