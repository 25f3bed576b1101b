import { Priorities } from '@ringfence/wire';
import { type TicketSettings, ticketOf } from '../encode/ticket.ts';
import type { Item, Rejection, SendContext } from '../sink.ts';
import { followTickets, type TicketDesk } from './follow.ts';

/** Incidents in one digest; the rest is counted. */
const LISTED = 40;

/** One message about many incidents. */
export interface Digest {
  /** The same if it is sent again */
  readonly id: string;
  /** "3 incidents, 1 of them closed" */
  readonly title: string;
  /** A line for each incident, the worst first */
  readonly lines: readonly string[];
}

/** A far side that people read, and that can be sent a digest instead of tickets. */
export interface Chat extends TicketDesk {
  digest(digest: Digest, signal: AbortSignal): Promise<void>;
}

/** Sends a digest if the sink has one, else brings the tickets up to date. */
export async function tellChat(
  chat: Chat,
  settings: TicketSettings,
  common: { readonly digest?: number | undefined },
  items: readonly Item[],
  context: SendContext,
): Promise<Rejection[]> {
  if (common.digest === undefined) return followTickets(chat, settings, items, context);
  await chat.digest(digestOf(items, settings), context.signal);
  return [];
}

function digestOf(items: readonly Item[], settings: TicketSettings): Digest {
  const tickets = items.flatMap((item) => (item.kind === 'incident' ? [ticketOf(item, settings)] : []));
  const closed = tickets.filter(({ phase }) => phase === 'closed').length;
  const worst = tickets.toSorted(
    (a, b) =>
      Number(a.phase === 'closed') - Number(b.phase === 'closed') ||
      Priorities.indexOf(b.severity) - Priorities.indexOf(a.severity),
  );
  const lines = worst
    .slice(0, LISTED)
    .map(({ severity, status, title, host, command }) => `${severity}, ${status}: ${title} on ${host}: ${command}`);
  const noun = tickets.length === 1 ? 'incident' : 'incidents';
  return {
    id: tickets.map(({ id, version }) => `${id}/${version}`).join(' '),
    title: `${tickets.length} ${noun}${closed === 0 ? '' : `, ${closed} of them closed`}`,
    lines: tickets.length > LISTED ? [...lines, `and ${tickets.length - LISTED} more`] : lines,
  };
}
