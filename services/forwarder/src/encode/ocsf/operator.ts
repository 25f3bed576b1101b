import type { ItemOf } from '../../sink.ts';
import { baseEvent, deviceOf, type Ocsf } from './common.ts';

const OTHER = 99;
const CREATE = 1;
const READ = 2;
const UPDATE = 3;
const DELETE = 4;

/** Activities of the verbs of actions; the others change something. */
const ACTIVITIES: Readonly<Record<string, number>> = {
  create: CREATE,
  issue: CREATE,
  show: READ,
  export: READ,
  exception: READ,
  record: READ,
  revoke: DELETE,
};

/** What a person asked Ringfence to do, as Entity Management (3004): who, what about, and why. */
export function entityManagement(item: ItemOf<'operator'>): Ocsf {
  const { document } = item;
  const [subject = '', verb = ''] = String(document['event.action'] ?? '').split('.');
  const activity = ACTIVITIES[verb] ?? UPDATE;
  const [user, uid] = [document['user.name'], document['user.id']];
  const process = { pid: document['process.pid'], cmd_line: document['process.command_line'] };
  return {
    ...baseEvent(item, { uid: 3004, name: 'Entity Management', activity, profiles: ['host'] }),
    // Ringfence itself is what an action without a target is about.
    entity: { uid: document['ringfence.operator.target'] || 'ringfence', type_id: OTHER, type: subject || 'ringfence' },
    comment: document['event.reason'],
    actor: { process: process.pid === undefined ? {} : process, user: { name: user, uid } },
    device: deviceOf(item),
  };
}
