import { fileURLToPath } from 'node:url';
import type { ChannelOptions, MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Interest } from '@ringfence/interest';
import type { Want } from '@ringfence/wire';

/** Maximum size of a message in either direction, bytes. */
export const MAX_MESSAGE_BYTES: number = 1 << 20;
/** Maximum number of unacknowledged Results. */
export const MAX_UNACKNOWLEDGED = 1000;
/** Heartbeat intervals without a message after which the peer counts as gone. */
export const MISSED_HEARTBEATS = 3;

export interface Hello {
  readonly hostId: string;
  readonly bootId: string;
  readonly agentVersion: string;
  readonly unacknowledged: readonly string[];
}

interface WireInterest {
  readonly version: number;
  readonly everyOpen: boolean;
  readonly openPathPrefixes: readonly string[];
  readonly openNames: readonly string[];
  readonly openExecutables: readonly string[];
  readonly changePathPrefixes: readonly string[];
  readonly changeNames: readonly string[];
  readonly openPaths: readonly string[];
  readonly rawPaths: boolean;
  readonly environment: readonly string[];
  readonly filteredKinds: boolean;
  readonly wants: readonly Want[];
}

/** A message to send: exactly one of the variants. */
export type FromAgent = { readonly hello: Hello } | { readonly result: Uint8Array } | { readonly heartbeat: object };
export type ToAgent =
  | { readonly welcome: { readonly heartbeatMs: number } }
  | { readonly command: Uint8Array }
  | { readonly interest: WireInterest }
  | { readonly acknowledge: string }
  | { readonly enrolment: Uint8Array }
  | { readonly standing: Uint8Array }
  | { readonly heartbeat: object };

type AllOf<U> = U extends unknown ? keyof U : never;
/** A received message: one of the variants, or none when a later version sent an unknown one. */
type Received<U> = { readonly [K in AllOf<U>]?: U extends { readonly [P in K]: infer V } ? V : never };
export type ReceivedFromAgent = Received<FromAgent>;
export type ReceivedToAgent = Received<ToAgent>;

const path = fileURLToPath(new URL('../proto/control.proto', import.meta.url));
const loaded = loadSync(path, { longs: Number, defaults: true, arrays: true, oneofs: true });

export const service: ServiceDefinition = loaded['ringfence.control.v1.Control'] as ServiceDefinition;
export const attach: MethodDefinition<FromAgent, ReceivedToAgent> = service['Attach'] as MethodDefinition<
  FromAgent,
  ReceivedToAgent
>;

export const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.enable_channelz': 0,
  // Without keepalive the connection to a machine that is gone would stay open forever.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/**
 * Agents that do not know executables get every open instead; agents that do not know change filters also report opens
 * of those paths.
 */
export function interestToWire({ openPathPrefixes, openExecutables, wants, ...rest }: Interest): WireInterest {
  const { openNames } = rest;
  const changePathPrefixes = without(rest.changePathPrefixes, openPathPrefixes ?? []);
  const changeNames = without(rest.changeNames, openNames);
  return {
    ...rest,
    changePathPrefixes,
    changeNames,
    everyOpen: openPathPrefixes === null || openExecutables.length > 0,
    openPathPrefixes: [...(openPathPrefixes ?? []), ...changePathPrefixes],
    openNames: [...openNames, ...changeNames],
    openExecutables: openPathPrefixes === null ? [] : openExecutables,
    filteredKinds: wants !== null,
    wants: wants ?? [],
  };
}

export function interestFromWire(wire: WireInterest): Interest {
  const { everyOpen, filteredKinds, wants, ...rest } = wire;
  const { openPathPrefixes, openNames, openExecutables, changePathPrefixes, changeNames } = rest;
  return {
    ...rest,
    openPathPrefixes: everyOpen && openExecutables.length === 0 ? null : without(openPathPrefixes, changePathPrefixes),
    openNames: without(openNames, changeNames),
    wants: filteredKinds ? wants : null,
  };
}

function without(texts: readonly string[], excluded: readonly string[]): string[] {
  const excludedSet = new Set(excluded);
  return texts.filter((text) => !excludedSet.has(text));
}
