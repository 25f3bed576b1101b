import { KIND } from '../layout.ts';
import { bodyLong, type Field } from './field.ts';
import { logSays } from './log.ts';

const openResult = bodyLong('Open', 'result');
const connectResult = bodyLong('Connect', 'result');
const EINPROGRESS = -115;

/** ECS categories by kind: what `event.category` says. */
const actions = {
  fork: 'fork',
  exec: 'exec',
  exit: 'exit',
  credentials: 'credentials',
  open: 'open',
  connect: 'connect',
  accept: 'accept',
  tick: 'tick',
};
const syscalls = {
  fork: 'clone',
  exec: 'execve',
  exit: 'procexit',
  credentials: 'setresuid',
  open: 'openat',
  connect: 'connect',
  accept: 'accept4',
};
const categories = {
  fork: 'process',
  exec: 'process',
  exit: 'process',
  credentials: 'iam',
  open: 'file',
  connect: 'network',
  accept: 'network',
};

export const eventFields: readonly Field[] = [
  {
    name: 'event.action',
    type: 'string',
    doc: 'What happened: fork, exec, exit, credentials, open, connect, accept; of a log line ssh-login, sudo-command, …',
    constants: actions,
    get: logSays.action,
  },
  {
    name: 'event.category',
    type: 'string',
    doc: 'ECS category: process, iam, file, network; of a log line also authentication, session.',
    constants: categories,
    get: logSays.category,
  },
  {
    name: 'evt.type',
    type: 'string',
    doc: "Falco's name of the system call behind the event.",
    constants: syscalls,
    get: () => undefined,
  },
  {
    name: 'event.outcome',
    type: 'string',
    doc: 'success or failure (a non-blocking connect that has only begun is a success).',
    kinds: ['open', 'connect', 'log'],
    get: (event) => {
      if (event.cursor.kind === KIND.Log) return logSays.outcome(event);
      const result = event.cursor.kind === KIND.Open ? openResult(event) : connectResult(event);
      return result >= 0 || result === EINPROGRESS ? 'success' : 'failure';
    },
  },
  {
    name: 'event.result',
    type: 'number',
    doc: 'What the system call returned: a descriptor or 0, or -errno.',
    aliases: ['evt.rawres'],
    kinds: ['open', 'connect'],
    get: (event) => (event.cursor.kind === KIND.Open ? openResult(event) : connectResult(event)),
  },
  { name: '@timestamp', type: 'number', doc: 'When it happened, µs since the epoch.', get: (event) => event.timestamp },
  { name: 'event.id', type: 'string', doc: 'hostId/bootId/run/lane/cpu/sequence.', get: (event) => event.id },
  { name: 'host.id', type: 'string', doc: "The agent's host id.", get: (event) => event.head.hostId },
];
