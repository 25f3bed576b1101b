import type { InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { StateTable } from '@ringfence/service-kit';
import { Priorities } from '@ringfence/wire';
import { z } from 'zod';
import { StateError } from '../errors.ts';
import type { IncidentSummary, Target } from './target.ts';

/** Everything the responder must not forget. One store a table. */
export const STORES = {
  orders: 'ringfence.state.responder.orders',
  limits: 'ringfence.state.responder.limits',
  sightings: 'ringfence.state.responder.sightings',
  commands: 'ringfence.state.responder.commands',
} as const;

export const STORE_NAMES: readonly string[] = Object.values(STORES);

/** What is known of an alert that an incident may name, whichever of the two comes first. */
export interface Sighting {
  readonly target: Target | null;
  readonly incident: IncidentSummary | null;
}

/** An enforced command. Open: `command` is there. Done: neither is. Answered before it was read: only `answer` is. */
export interface Commanded {
  readonly hostId: string;
  /** µs since the epoch */
  readonly expiresAt: number;
  /** base64 of the framed, signed Command */
  readonly command: string | null;
  /** base64 of the framed Result */
  readonly answer: string | null;
}

/** `alert`: the one whose process it was about; for traces, and unknown to older versions */
const orderSchema = z.strictObject({ at: z.int(), alert: z.string().exactOptional() });
const limitSchema = z.strictObject({ kills: z.array(z.int()).max(10_000) });
const sightingSchema: z.ZodType<Sighting> = z.strictObject({
  target: z
    .strictObject({
      alertId: z.string(),
      rule: z.string(),
      priority: z.enum(Priorities),
      tactics: z.array(z.string()),
      action: z.string(),
      timestamp: z.int(),
      hostId: z.string(),
      bootId: z.string(),
      entityId: z.string(),
      pid: z.int(),
      start: z.string().regex(/^[0-9a-f]{16}$/),
      executable: z.string(),
      cgroupPath: z.string(),
      image: z.string(),
    })
    .nullable(),
  incident: z.strictObject({ id: z.string(), severity: z.enum(Priorities), stages: z.int() }).nullable(),
});

const commandedSchema = z.strictObject({
  hostId: z.string(),
  expiresAt: z.int(),
  command: z.string().nullable(),
  answer: z.string().nullable(),
});

const MAX_ORDERS = 50_000;
const MAX_HOSTS = 100_000;
const MAX_SIGHTINGS = 20_000;
const MAX_COMMANDS = 10_000;

function table<T>(store: string, schema: z.ZodType<T>, maxEntries: number): StateTable<T> {
  return new StateTable<T>({
    store,
    maxEntries,
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => {
      try {
        return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
      } catch (cause) {
        throw new StateError(store, { cause });
      }
    },
  });
}

/**
 * What was ordered (by command id, and by process), how many kills each host had of late, which alerts an incident may still name, and which commands
 * wait for an answer. Of one partition, with which it moves from responder to responder. The limits have a table of their own, so that a flood of alerts can't push them out.
 */
export class Memory {
  readonly orders: StateTable<{ at: number; alert?: string }> = table(STORES.orders, orderSchema, MAX_ORDERS);
  readonly limits: StateTable<{ kills: number[] }> = table(STORES.limits, limitSchema, MAX_HOSTS);
  readonly sightings: StateTable<Sighting> = table(STORES.sightings, sightingSchema, MAX_SIGHTINGS);
  readonly commands: StateTable<Commanded> = table(STORES.commands, commandedSchema, MAX_COMMANDS);

  async restore(restore: (store: string) => AsyncIterable<StateEntry>, partition: number): Promise<void> {
    await this.orders.restore(restore(STORES.orders), partition);
    await this.limits.restore(restore(STORES.limits), partition);
    await this.sightings.restore(restore(STORES.sightings), partition);
    await this.commands.restore(restore(STORES.commands), partition);
  }

  drain(): StateChange[] {
    return [...this.orders.drain(), ...this.limits.drain(), ...this.sightings.drain(), ...this.commands.drain()];
  }

  rollback(): void {
    this.orders.rollback();
    this.limits.rollback();
    this.sightings.rollback();
    this.commands.rollback();
  }
}

export interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

export function placeOf({ partition, offset }: InRecord): Place {
  return { partition, offset, index: 0 };
}
