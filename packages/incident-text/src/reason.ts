import { durationText } from '@ringfence/base';
import type { IncidentAlert, IncidentReason, JoinedChain, ProcessName, ReasonKind } from '@ringfence/wire';
import { clockOf, nameOf } from './words.ts';

const HASH_SHOWN = 12;

/** Returns why the alert belongs to its incident. An alert without its reason as data, from 0.1.0, has it as text. */
export function alertReason({ reason, why, count, lastTimestamp }: IncidentAlert): string {
  if (reason === null) return why;
  const { mergedChain, mergedBy } = reason;
  const by = mergedBy === '' ? '' : `"${mergedBy}": `;
  const opened = mergedChain === '' ? '' : `opened ${mergedChain}, which turned out to be part of this incident: ${by}`;
  const more = count <= 1 ? '' : `; ${count - 1} more like it until ${clockOf(lastTimestamp)}`;
  return `${opened}${SENTENCES[reason.kind](reason)}${more}`;
}

/** Returns why a chain of another host is part of the incident. A chain from 0.1.0 has the reason as text. */
export const joinReason = ({ reason, why }: Pick<JoinedChain, 'reason' | 'why'>): string =>
  reason === null ? why : SENTENCES[reason.kind](reason);

const SENTENCES: Readonly<Record<ReasonKind, (reason: IncidentReason) => string>> = {
  opened: () => 'opened this incident',
  repeated: () => 'the same rule about the same process',
  process: processText,
  written_file: writtenText,
  connection: ({ process, peer, objects }) =>
    `${named(process)} connected to ${endpointOf(objects)}, where ${named(peer)} listens`,
  session: (reason) =>
    `belongs to the login session (audit session ${reason.objects['session'] ?? ''}) in which ${raised(reason)}`,
  workload: (reason) => `belongs to the workload ${workloadOf(reason)}, in which ${raised(reason)}`,
  same_file: sameFileText,
  guessed_login: ({ objects }) => `sessions of this incident came from ${objects['source.ip'] ?? ''}`,
  login_origin: (reason) => `its session came from ${reason.objects['source.ip'] ?? ''}, from where ${raised(reason)}`,
  shared_edge: ({ objects }) =>
    objects['edge.kind'] === 'connection'
      ? `the connection ${objects['edge.detail'] ?? ''} was seen from both ends`
      : `both hosts were entered with the same ${objects['edge.detail'] ?? ''}`,
};

const named = (process: ProcessName | null): string => (process === null ? 'a process' : nameOf(process));
const raised = ({ rule }: IncidentReason): string => `"${rule === '' ? 'another alert' : rule}" was raised`;

const workloadOf = ({ objects }: IncidentReason): string =>
  `${objects['orchestrator.namespace'] ?? ''}/${objects['orchestrator.service_account'] ?? ''}`;

const endpointOf = (objects: IncidentReason['objects']): string =>
  objects['network.unix.path'] ?? `${objects['destination.ip'] ?? ''} port ${objects['destination.port'] ?? ''}`;

/** The process of the alert, or an ancestor of it, belongs to the incident. */
function processText(reason: IncidentReason): string {
  const { rule, process, peer, distance } = reason;
  if (distance === 0 && rule !== '' && peer === null) return `same process as in "${rule}"`;
  const part =
    peer !== null
      ? `also started ${nameOf(peer)}, where ${raised(reason)}`
      : rule !== ''
        ? `raised "${rule}"`
        : 'is part of this incident';
  if (distance === 0) return `${named(process)} is the process that ${part}`;
  return `${distance === 1 ? 'started by' : 'descends from'} ${named(process)}, which ${part}`;
}

/** "/usr/bin/curl (pid 11) wrote /tmp/x, which /bin/bash (pid 10) executed 3 s later" */
function writtenText({ process, peer, objects }: IncidentReason): string {
  const later = durationText(Number(objects['process.exec.written_ago'] ?? 0) * 1e6);
  const executed = peer === null ? 'was' : nameOf(peer);
  return `${named(process)} wrote ${objects['file.path'] ?? 'a file'}, which ${executed} executed ${later} later`;
}

function sameFileText({ process, objects }: IncidentReason): string {
  const file =
    process === null ? 'a file that this incident wrote' : `${process.executable}, which ran as pid ${process.pid}`;
  const sha256 = (objects['process.hash.sha256'] ?? '').slice(0, HASH_SHOWN);
  return `runs a file of the same content (sha256 ${sha256}…) as ${file}`;
}
