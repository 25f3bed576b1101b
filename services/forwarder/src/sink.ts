import type { Log } from '@ringfence/base';
import type { Document } from '@ringfence/ecs';
import type { Alert, Command, Incident, OperatorAction, Result } from '@ringfence/wire';
import type { z } from 'zod';
import type { ItemKind, SendName, SinkSettings } from './settings/common.ts';

/** The records that a sink can be sent, by kind. */
export interface ItemRecords extends Record<ItemKind, unknown> {
  readonly alert: Alert;
  readonly incident: Incident;
  readonly command: Command;
  readonly result: Result;
  readonly operator: OperatorAction;
}

export type { ItemKind };

/** One record on its way to a sink: filtered, redacted, and with its fields mapped. */
export type Item = { readonly [K in ItemKind]: ItemOf<K> }[ItemKind];

export interface ItemOf<K extends ItemKind> {
  readonly kind: K;
  /**
   * The same for each delivery, so that the far side can drop doubles: id of the alert; `ID/VERSION` of an incident;
   * `command/ID`, `result/ID` and `operator/ID`.
   */
  readonly id: string;
  /** Groups what belongs together and stays in order: id of the incident or alert, or cause of the command. */
  readonly group: string;
  /** µs since the epoch */
  readonly at: number;
  /** Redacted */
  readonly record: ItemRecords[K];
  /** ECS with dotted names, redacted and mapped */
  readonly document: Document;
}

/** An item that the far side refused for good; it becomes a dead letter. */
export interface Rejection {
  readonly item: Item;
  readonly error: Error;
}

/** References of the far side to incidents, such as a message or an issue, kept with the position of the sink. */
export interface Tickets {
  get(incidentId: string): string | undefined;
  set(incidentId: string, reference: string): void;
  delete(incidentId: string): void;
}

export interface SendContext {
  /** Aborts when the forwarder stops. */
  readonly signal: AbortSignal;
  readonly tickets: Tickets;
}

/** A connection to a far side. */
export interface Sink {
  /**
   * Resolves once the far side has confirmed all items, or refused single ones. Rejects with SinkUnavailableError when
   * nothing is known of the items: all of them are sent again. Rejects with SinkRefusedError when the far side refuses
   * the request: its items are then sent singly.
   */
  send(items: readonly Item[], context: SendContext): Promise<readonly Rejection[]>;
  close(): Promise<void>;
}

export interface OpenContext {
  /** Name of the sink, for messages */
  readonly name: string;
  readonly common: SinkSettings;
  readonly log: Log;
}

interface KindFacts {
  readonly type: string;
  /** One line for `ringfence sinks kinds`. */
  readonly title: string;
  /** The kinds of records that are sent unless `send` says otherwise. */
  readonly sends: readonly SendName[];
  /** The kinds of records that `send` may name. @default all */
  readonly takes?: readonly SendName[];
  /** `newest`: of the versions of an incident in a batch only the newest is sent, as the update of one ticket. */
  readonly incidents: 'newest' | 'all';
  /** Whether `Tickets` of the incidents are kept with the position. */
  readonly keepsTickets: boolean;
  /** Other defaults of common settings, as a file has them. */
  readonly defaults?: { readonly batch?: number; readonly digest?: string };
  /** What the tests run it against: the real server, or a server of ours after the published API. */
  readonly proof: string;
}

/** A kind of sink: its settings besides the common ones, and how to connect. */
export interface SinkKind extends KindFacts {
  readonly shape: z.ZodRawShape;
  /** Returns a message for each setting that does not fit the others, by its key. */
  check?(settings: Readonly<Record<string, unknown>>, common: SinkSettings): Readonly<Record<string, string>>;
  /** @param settings as `shape` returns them */
  open(settings: Readonly<Record<string, unknown>>, context: OpenContext): Sink;
}

interface TypedKind<Shape extends z.ZodRawShape> extends KindFacts {
  readonly shape: Shape;
  check?(settings: z.output<z.ZodObject<Shape>>, common: SinkSettings): Readonly<Record<string, string>>;
  open(settings: z.output<z.ZodObject<Shape>>, context: OpenContext): Sink;
}

/** Types the settings of a kind by its shape. */
export const defineKind = <Shape extends z.ZodRawShape>(kind: TypedKind<Shape>): SinkKind =>
  kind as unknown as SinkKind;
