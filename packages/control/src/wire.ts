import { fileURLToPath } from 'node:url';
import type { ChannelOptions, MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Interest } from '@ringfence/interest';
import type { Want } from '@ringfence/wire';

/** Longest message either way, bytes. */
export const MAX_MESSAGE: number = 1 << 20;
/** Results that nobody has acknowledged, at most. */
export const MAX_UNACKNOWLEDGED = 1000;
/** So many heartbeats without a word from the other side, and it is gone. */
export const SILENT_AFTER = 3;

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
  readonly filteredKinds: boolean;
  readonly wants: readonly Want[];
}

/** What is written: one of them. */
export type FromAgent = { readonly hello: Hello } | { readonly result: Uint8Array } | { readonly heartbeat: object };
export type ToAgent =
  | { readonly welcome: { readonly heartbeatMs: number } }
  | { readonly command: Uint8Array }
  | { readonly interest: WireInterest }
  | { readonly acknowledge: string }
  | { readonly enrolment: Uint8Array }
  | { readonly heartbeat: object };

type AllOf<U> = U extends unknown ? keyof U : never;
/** What is read: whichever of them came; none of a message from a later version. */
type Read<U> = { readonly [K in AllOf<U>]?: U extends { readonly [P in K]: infer V } ? V : never };
export type ReadFromAgent = Read<FromAgent>;
export type ReadToAgent = Read<ToAgent>;

const path = fileURLToPath(new URL('../proto/control.proto', import.meta.url));
const loaded = loadSync(path, { longs: Number, defaults: true, arrays: true, oneofs: true });

export const service: ServiceDefinition = loaded['ringfence.control.v1.Control'] as ServiceDefinition;
export const attach: MethodDefinition<FromAgent, ReadToAgent> = service['Attach'] as MethodDefinition<
  FromAgent,
  ReadToAgent
>;

export const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE,
  'grpc.max_send_message_length': MAX_MESSAGE,
  'grpc.enable_channelz': 0,
  // A peer whose machine has gone leaves no sign: without these its connection would stay for ever.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** An agent of before executables were told is sent every open in place of theirs; one of before changes were told apart what these ask for of opens, too. */
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

export function interestFromWire(said: WireInterest): Interest {
  const { everyOpen, filteredKinds, wants, ...rest } = said;
  const { openPathPrefixes, openNames, openExecutables, changePathPrefixes, changeNames } = rest;
  return {
    ...rest,
    openPathPrefixes: everyOpen && openExecutables.length === 0 ? null : without(openPathPrefixes, changePathPrefixes),
    openNames: without(openNames, changeNames),
    wants: filteredKinds ? wants : null,
  };
}

function without(texts: readonly string[], others: readonly string[]): string[] {
  const left = new Set(others);
  return texts.filter((text) => !left.has(text));
}
