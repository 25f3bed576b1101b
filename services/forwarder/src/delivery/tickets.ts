import type { InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { StateTable } from '@ringfence/service-kit';
import { decode, encode } from '@ringfence/wire';
import type { Tickets } from '../sink.ts';

export const TICKET_STORE = 'ringfence.state.tickets';

/** Incidents of a partition that have a ticket, open or closed. The one that changed longest ago gives way. */
const MAX_TICKETS = 10_000;
/** More than any message, issue or case has. */
const REFERENCE_MAX_CHARS = 1000;

/** Tickets of a test or of a replay, which has no partition to keep them with. */
export function temporaryTickets(): Tickets {
  const references = new Map<string, string>();
  return {
    get: (id) => references.get(id),
    set: (id, reference) => void references.set(id, reference),
    delete: (id) => void references.delete(id),
  };
}

/** The tickets of one sink in one partition. */
export class TicketBook implements Tickets {
  readonly #table: StateTable<string> = new StateTable<string>({
    store: TICKET_STORE,
    encode: (reference) => encode('StateTicket', { reference }),
    decode: (bytes) => decode('StateTicket', bytes).reference,
    maxEntries: MAX_TICKETS,
  });
  #at = { partition: 0, offset: 0, index: 0 };

  async restore(entries: AsyncIterable<StateEntry>, partition: number): Promise<void> {
    await this.#table.restore(entries, partition);
  }

  /** Sets the record that the next changes come from. */
  begin({ partition, offset }: InRecord): void {
    this.#at = { partition, offset, index: 0 };
  }

  get(incidentId: string): string | undefined {
    return this.#table.get(incidentId);
  }

  set(incidentId: string, reference: string): void {
    this.#table.set(incidentId, reference.slice(0, REFERENCE_MAX_CHARS), this.#at);
  }

  delete(incidentId: string): void {
    this.#table.delete(incidentId, this.#at);
  }

  drain(): StateChange[] {
    return this.#table.drain();
  }
}
