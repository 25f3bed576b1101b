import type { EventView } from '@ringfence/wire';
import { leaf, records } from '@ringfence/wire';
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

/** Values of tampering events for the fields of signals and accesses. */
export const tampering = {
  /** the signal that was sent, or that ended the agent */
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

/**
 * Fields of tampering with the agent or its sensor. The actor is the event's process; these fields have the sensor's
 * own record of it.
 */
export const tamperingFields: readonly Field[] = [
  {
    name: 'tampering.access',
    type: 'string',
    doc: 'How a process accessed the agent: ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, proc_mem.',
    kinds,
    get: (event) => (operation(event) === ACCESS ? accessNames.get(detail(event))?.toLowerCase() : undefined),
  },
  {
    name: 'tampering.program',
    type: 'string',
    doc: "The sensor's program whose hook was detached, given another program, or found gone.",
    kinds,
    get: (event) => nonEmpty(program(event)),
  },
  {
    name: 'tampering.command',
    type: 'string',
    doc: 'Name of the thread that did it, which the thread can choose.',
    kinds,
    get: (event) => nonEmpty(command(event)),
  },
  {
    name: 'tampering.executable',
    type: 'string',
    doc: 'Name of the executable that did it, without its directory; present even if nothing else is known about the process.',
    kinds,
    get: (event) => nonEmpty(executable(event)),
  },
  {
    name: 'tampering.user.id',
    type: 'number',
    doc: 'Real user id of the process that did it.',
    kinds,
    get: bodyLong(leaf.Tampering.uid),
  },
  {
    name: 'tampering.count',
    type: 'number',
    doc: 'Number of times it was done in a row; for hooks found gone, the number of hooks.',
    kinds,
    get: bodyLong(leaf.Tampering.count),
  },
  {
    name: 'host.last_tick',
    type: 'number',
    doc: "Time of the host's last tick before it fell silent, µs since the epoch.",
    kinds: ['silence'],
    get: (event) => lastTick(event) + event.head.wallOffset,
  },
  {
    name: 'tampering.exit_code',
    type: 'number',
    doc: 'The code that the agent ended with.',
    kinds,
    get: (event) => (operation(event) === EXIT && request(event) === 0 ? detail(event) : undefined),
  },
];
