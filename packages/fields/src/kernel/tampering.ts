import { type EventView, leaf, records } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const operation = bodyLong(leaf.Tampering.operation);
const detail = bodyLong(leaf.Tampering.detail);
const request = bodyLong(leaf.Tampering.request);
const {
  TAMPERING_AGENT_SIGNAL: SIGNAL,
  TAMPERING_AGENT_EXIT: EXIT,
  TAMPERING_AGENT_ACCESS: ACCESS,
} = records.TamperingOperation;

const accessNames = new Map(
  Object.entries(records.AccessOperation).map(([name, value]) => [value as number, name.slice('ACCESS_'.length)]),
);

/** Values for the fields of signals and accesses on events of this kind. */
export const tampering = {
  /** Signal that was sent, or that ended the agent. */
  signal(event: EventView): number | undefined {
    if (operation(event) === SIGNAL) return detail(event);
    return operation(event) === EXIT && request(event) > 0 ? request(event) : undefined;
  },
  ptraceRequest: (event: EventView): number | undefined =>
    operation(event) === ACCESS && detail(event) === records.AccessOperation.ACCESS_PTRACE ? request(event) : undefined,
} as const;

const program = bodyText(leaf.Tampering.programBytes);
const command = bodyText(leaf.Tampering.commandBytes);
const executable = bodyText(leaf.Tampering.executableBytes);
const lastTick = bodyLong(leaf.Silence.lastTick);
const kinds = ['tampering'];

/** Actions against the agent or its sensor. The actor is the event's process; these fields are the sensor's record. */
export const tamperingFields: readonly Field[] = [
  {
    name: 'tampering.access',
    type: 'string',
    doc: 'How the agent was accessed: ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, proc_mem.',
    kinds,
    get: (event) => (operation(event) === ACCESS ? accessNames.get(detail(event))?.toLowerCase() : undefined),
  },
  {
    name: 'tampering.program',
    type: 'string',
    doc: 'Program of the sensor whose hook was detached, replaced or found missing; map or program that was opened, changed or restored; limit of the agent that was changed.',
    kinds,
    get: (event) => nonEmpty(program(event)),
  },
  {
    name: 'tampering.command',
    type: 'string',
    doc: 'Name of the acting thread (comm), which the thread can set itself.',
    kinds,
    get: (event) => nonEmpty(command(event)),
  },
  {
    name: 'tampering.executable',
    type: 'string',
    doc: 'Name of the acting executable, without its directory; present even when the process is unknown.',
    kinds,
    get: (event) => nonEmpty(executable(event)),
  },
  {
    name: 'tampering.user.id',
    type: 'number',
    doc: 'Real user id of the acting process.',
    kinds,
    get: bodyLong(leaf.Tampering.uid),
  },
  {
    name: 'tampering.count',
    type: 'number',
    doc: 'Number of repetitions in a row, of hooks that were found missing, or of entries that were restored.',
    kinds,
    get: bodyLong(leaf.Tampering.count),
  },
  {
    name: 'host.last_tick',
    type: 'number',
    doc: 'Last tick of the host before it fell silent, µs since the epoch.',
    kinds: ['silence'],
    get: (event) => lastTick(event) + event.head.wallOffset,
  },
  {
    name: 'tampering.exit_code',
    type: 'number',
    doc: 'Exit code of the agent.',
    kinds,
    get: (event) => (operation(event) === EXIT && request(event) === 0 ? detail(event) : undefined),
  },
];
