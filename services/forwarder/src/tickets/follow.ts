import { createHash } from 'node:crypto';
import { Priorities, type Priority } from '@ringfence/wire';
import { type Phase, type Ticket, type TicketSettings, ticketOf } from '../encode/ticket.ts';
import { SinkRefusedError } from '../errors.ts';
import type { Item, Rejection, SendContext, Tickets } from '../sink.ts';

/** What is new about an incident since its ticket was last written. All false: only details changed. */
export interface Change {
  readonly opened: boolean;
  /** Its severity is higher. */
  readonly grew: boolean;
  readonly triaged: boolean;
  readonly contained: boolean;
  readonly closed: boolean;
  readonly reopened: boolean;
  /** Severity before; null: there was no ticket */
  readonly severityBefore: Priority | null;
}

/** Returns whether people should hear of a change where a message can't be changed any more. */
export const isNews = ({ opened, grew, closed, reopened }: Change): boolean => opened || grew || closed || reopened;

/** "New critical incident", "Now critical", "Contained", "Closed", "Open again" */
export function newsOf({ severity, phase }: Ticket, { opened, grew, contained, reopened }: Change): string {
  if (phase === 'closed') return 'Closed';
  if (opened) return `New ${severity} incident`;
  if (reopened) return 'Open again';
  if (grew) return `Now ${severity}`;
  return contained ? 'Contained' : 'Changed';
}

/** A far side that has a ticket for each incident. */
export interface TicketDesk {
  /** Finds the reference of a ticket whose reference was lost by a crash. @default there is none */
  find?(ticket: Ticket, signal: AbortSignal): Promise<string | undefined>;
  /** Returns the reference of the new ticket, at most 500 characters. */
  open(ticket: Ticket, change: Change, signal: AbortSignal): Promise<string>;
  /** Returns false if the far side has the ticket no longer: it is then opened again. */
  update(reference: string, ticket: Ticket, change: Change, signal: AbortSignal): Promise<boolean>;
}

/** What is remembered of a ticket, as JSON in `Tickets`. */
interface Kept {
  readonly reference: string;
  readonly severity: Priority;
  readonly phase: Phase;
  readonly version: number;
  /** Hash of what was shown */
  readonly shown: string;
}

/** Brings the tickets of incidents up to date, and returns the incidents that the far side refused. */
export async function followTickets(
  desk: TicketDesk,
  settings: TicketSettings,
  items: readonly Item[],
  { tickets, signal }: SendContext,
): Promise<Rejection[]> {
  const rejections: Rejection[] = [];
  for (const item of items) {
    if (item.kind !== 'incident') continue;
    try {
      await follow(desk, ticketOf(item, settings), item.record.state === 'merged', tickets, signal);
    } catch (error) {
      if (!(error instanceof SinkRefusedError)) throw error;
      rejections.push({ item, error });
    }
  }
  return rejections;
}

async function follow(
  desk: TicketDesk,
  ticket: Ticket,
  isMerged: boolean,
  tickets: Tickets,
  signal: AbortSignal,
): Promise<void> {
  const { id, severity, phase, version } = ticket;
  const shown = hashOf({ ...ticket, version: 0 });
  const before = keptOf(tickets.get(id));
  if (before !== null && (before.shown === shown || before.version > version)) return;
  const keep = (reference: string): void =>
    tickets.set(id, JSON.stringify({ reference, severity, phase, version, shown } satisfies Kept));
  const known = before?.reference ?? (await desk.find?.(ticket, signal));
  const change = changeOf(before, ticket, known === undefined);
  if (known !== undefined && (await desk.update(known, ticket, change, signal))) return keep(known);
  // Nobody needs a ticket that says where another one is.
  if (isMerged) return;
  keep(await desk.open(ticket, changeOf(null, ticket, true), signal));
}

const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

function keptOf(text: string | undefined): Kept | null {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Kept;
  } catch {
    // Of another version: the ticket is found, or opened again.
    return null;
  }
}

function changeOf(before: Kept | null, { severity, phase }: Ticket, opened: boolean): Change {
  const became = (wanted: Phase): boolean => phase === wanted && before?.phase !== wanted;
  return {
    opened,
    grew: before !== null && Priorities.indexOf(severity) > Priorities.indexOf(before.severity),
    triaged: became('triaged'),
    contained: became('contained'),
    closed: became('closed'),
    reopened: before?.phase === 'closed' && phase !== 'closed',
    severityBefore: before?.severity ?? null,
  };
}
