import { type EventView, KIND, kindName, layouts, leaf } from '@ringfence/wire';
import { eventFields } from './event.ts';
import { falcoArgumentFields, falcoArgumentNever, falcoArgumentUnions } from './falco/arguments.ts';
import { falcoContainerFields } from './falco/container.ts';
import { falcoEventFields } from './falco/event.ts';
import { falcoFdFields, falcoFdUnions } from './falco/fd.ts';
import { falcoProcessFields } from './falco/process.ts';
import type { Field } from './field.ts';
import { fileFields } from './file/file.ts';
import { fileChangeFields } from './file/file-change.ts';
import { mountFields } from './file/mount.ts';
import { rawPathFields } from './file/raw-path.ts';
import { containerFields } from './host/container.ts';
import { logFields } from './host/log.ts';
import { lostFields } from './host/lost.ts';
import { bpfFields } from './kernel/bpf.ts';
import { integrityFields } from './kernel/integrity.ts';
import { ioUringFields } from './kernel/io-uring.ts';
import { moduleFields } from './kernel/module.ts';
import { sysctlFields, systemFields } from './kernel/system.ts';
import { tamperingFields } from './kernel/tampering.ts';
import { networkFields } from './network/network.ts';
import { packetFields } from './network/packet.ts';
import { redirectFields } from './network/redirect.ts';
import { socketFields } from './network/socket.ts';
import { trafficFields } from './network/traffic.ts';
import { customProbeFields } from './probes/custom-probes.ts';
import { probeFields } from './probes/program-probes.ts';
import { attemptFields } from './process/attempt.ts';
import { credentialFields } from './process/credentials.ts';
import { execFields } from './process/exec.ts';
import { hashFields } from './process/hash.ts';
import { isolationFields } from './process/isolation.ts';
import { processFields } from './process/process.ts';
import { targetFields } from './process/target.ts';
import { userFields } from './process/user.ts';

const ecsFields: readonly Field[] = [
  ...eventFields,
  ...processFields,
  ...execFields,
  ...hashFields,
  ...userFields,
  ...credentialFields,
  ...attemptFields,
  ...targetFields,
  ...isolationFields,
  ...fileFields,
  ...fileChangeFields,
  ...rawPathFields,
  ...mountFields,
  ...networkFields,
  ...moduleFields,
  ...bpfFields,
  ...sysctlFields,
  ...systemFields,
  ...ioUringFields,
  ...socketFields,
  ...redirectFields,
  ...trafficFields,
  ...packetFields,
  ...containerFields,
  ...logFields,
  ...integrityFields,
  ...lostFields,
  ...tamperingFields,
  ...probeFields,
  ...customProbeFields,
];
const falcoFields = [
  ...falcoEventFields,
  ...falcoProcessFields,
  ...falcoFdFields,
  ...falcoContainerFields,
  ...falcoArgumentFields,
  ...falcoArgumentNever,
];

/** Every field that rules, searches and outputs can name: ECS names, with Falco's and Sigma's as aliases. */
export const catalogue: { readonly fields: readonly Field[] } = {
  fields: [
    ...ecsFields,
    ...falcoFields,
    ...falcoFdUnions([...ecsFields, ...falcoFields]),
    ...falcoArgumentUnions([...ecsFields, ...falcoFields]),
  ],
};

const byName: ReadonlyMap<string, Field> = new Map(catalogue.fields.map((field) => [field.name, field]));

/** Returns a field by its name in the catalogue, not by an alias. */
export const fieldNamed = (name: string): Field | undefined => byName.get(name);

/** Names of the kinds of events in rules, indexed by kind: fork, exec, exit, credentials, open, connect, tick, … */
export const eventKinds: {
  readonly names: readonly string[];
  of(event: EventView): number;
  readonly found: { readonly field: string; is(event: EventView): boolean };
} = {
  names: layouts.map(({ name }) => kindName(name)),
  of: (event) => event.cursor.kind,
  found: {
    field: 'process.exec.snapshot',
    is: ({ cursor }) => cursor.kind === KIND.Exec && cursor.leafBoolean(leaf.Exec.snapshot),
  },
};
