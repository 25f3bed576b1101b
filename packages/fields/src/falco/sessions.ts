import { type EventView, type ProcessInfo, processLeaf } from '@ringfence/wire';
import { type Field, type FieldValue, nonEmpty, ofProcess } from '../field.ts';
import { type Led, leaderOf } from '../process/leader.ts';
import { falco } from './define.ts';
import { nameOf } from './names.ts';

const leads =
  (led: Led): Field['get'] =>
  ({ process }) => {
    const leader = process?.long(processLeaf[led]);
    return leader === undefined || leader === 0 ? undefined : leader === process?.long(processLeaf.namespaces.pidInNs);
  };

const ofLeader =
  (led: Led, of: (leader: ProcessInfo) => FieldValue): Field['get'] =>
  ({ process }: EventView) => {
    const leader = leaderOf(process, led);
    return leader === undefined ? undefined : of(leader);
  };

const isLeader = (name: string, doc: string, led: Led): Field =>
  falco(name, 'bool', doc, leads(led), { subject: ofProcess });

/** Name, first argument and executable of a leader. */
function described(prefix: string, nameField: string, doc: string, led: Led): Field[] {
  return [
    falco(nameField, 'string', `proc.name of ${doc}.`, ofLeader(led, nameOf), { subject: ofProcess }),
    falco(
      `${prefix}.exe`,
      'string',
      `First argument of ${doc}.`,
      ofLeader(led, ({ args, executable }) => args[0] ?? executable),
      { subject: ofProcess },
    ),
    falco(
      `${prefix}.exepath`,
      'string',
      `Executable of ${doc}.`,
      ofLeader(led, ({ executable }) => nonEmpty(executable)),
      { subject: ofProcess },
    ),
  ];
}

const SESSION = 'the leader of the session, or of the eldest ancestor in it';
const GROUP = 'the leader of the process group, or of the eldest ancestor in it';

/** Sessions and process groups, as they were at the last exec of the process. */
export const sessionFields: readonly Field[] = [
  ...described('proc.sid', 'proc.sname', SESSION, 'processSession'),
  ...described('proc.vpgid', 'proc.vpgid.name', GROUP, 'processGroup'),
  ...described('proc.pgid', 'proc.pgid.name', GROUP, 'processGroup'),
  falco(
    'proc.pgid',
    'number',
    'Process id of the leader of the process group on the host; absent if it has ended.',
    ({ process }) => {
      const leader = leaderOf(process, 'processGroup');
      return leader?.long(processLeaf.namespaces.pidInNs) === leader?.long(processLeaf.processGroup)
        ? leader?.pid
        : undefined;
    },
    { subject: ofProcess },
  ),
  isLeader('proc.is_sid_leader', 'The process leads its session.', 'processSession'),
  isLeader('proc.is_vpgid_leader', 'The process leads its process group.', 'processGroup'),
  isLeader('proc.is_pgid_leader', 'The process leads its process group.', 'processGroup'),
];
