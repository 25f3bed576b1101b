import { type EventView, kindName, layouts } from '@ringfence/wire';
import { attemptFields } from './attempt.ts';
import { containerFields } from './container.ts';
import { customProbeFields } from './custom-probe.ts';
import { eventFields } from './event.ts';
import { execFields } from './exec.ts';
import { falcoArgumentFields, falcoArgumentNever, falcoArgumentUnions } from './falco/arguments.ts';
import { falcoContainerFields } from './falco/container.ts';
import { falcoEventFields } from './falco/event.ts';
import { falcoFdFields, falcoFdUnions } from './falco/fd.ts';
import { falcoProcessFields } from './falco/process.ts';
import type { Field } from './field.ts';
import { fileFields } from './file.ts';
import { fileChangeFields } from './file-change.ts';
import { hashFields } from './hash.ts';
import { integrityFields } from './integrity.ts';
import { ioUringFields } from './io-uring.ts';
import { isolationFields } from './isolation.ts';
import { kernelFields } from './kernel.ts';
import { logFields } from './log.ts';
import { lostFields } from './lost.ts';
import { mountFields } from './mount.ts';
import { networkFields } from './network.ts';
import { packetFields } from './packet.ts';
import { probeFields } from './probe.ts';
import { processFields } from './process.ts';
import { redirectFields } from './redirect.ts';
import { socketFields } from './socket.ts';
import { tamperingFields } from './tampering.ts';
import { targetFields } from './target.ts';
import { trafficFields } from './traffic.ts';
import { userFields } from './user.ts';

const own: readonly Field[] = [
  ...eventFields,
  ...processFields,
  ...execFields,
  ...hashFields,
  ...userFields,
  ...attemptFields,
  ...targetFields,
  ...isolationFields,
  ...fileFields,
  ...fileChangeFields,
  ...mountFields,
  ...networkFields,
  ...kernelFields,
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
const inFalcosForm = [
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
    ...own,
    ...inFalcosForm,
    ...falcoFdUnions([...own, ...inFalcosForm]),
    ...falcoArgumentUnions([...own, ...inFalcosForm]),
  ],
};

/** Kinds of events as rules name them, by the number of the kind: fork, exec, exit, credentials, open, connect, tick, … */
export const eventKinds: { readonly names: readonly string[]; of(event: EventView): number } = {
  names: layouts.map(({ name }) => kindName(name)),
  of: (event) => event.cursor.kind,
};
