import type { ItemOf } from '../../sink.ts';
import { type Endpoint, summaryOf } from '../summary.ts';
import { attacksOf, baseEvent, containerOf, deviceOf, isKnown, known, type Ocsf } from './common.ts';
import { fileOf, processOf } from './process.ts';

const CREATE = 1;
const NEW = 1;
const RULE = 1;
const UNKNOWN = 0;

/** An alert as a Detection Finding (2004). */
export function detectionFinding(item: ItemOf<'alert'>): Ocsf {
  const { document, id, at } = item;
  const { title, tactics, techniques } = summaryOf(item);
  const process = processOf(item);
  return {
    ...baseEvent(item, {
      uid: 2004,
      name: 'Detection Finding',
      activity: CREATE,
      profiles: ['host', 'container', 'security_control'],
    }),
    is_alert: true,
    status_id: NEW,
    finding_info: {
      uid: id,
      title,
      desc: document['rule.description'],
      created_time: Math.floor(at / 1000),
      analytic: ruleOf(title),
      attacks: attacksOf(tactics, techniques),
    },
    device: deviceOf(item),
    actor: { process },
    evidences: [evidenceOf(item, process)],
  };
}

export const ruleOf = (name: string): Ocsf => (name === '' ? {} : { name, type_id: RULE });

function evidenceOf(item: ItemOf<'alert'>, { uid, pid, name, cmd_line, user }: Ocsf): Ocsf {
  const { fields, source, destination } = summaryOf(item);
  const evidence = known({
    actor: { process: { uid, pid, name, cmd_line }, user },
    file: fileOf(fields.get('file.path') ?? '', UNKNOWN),
    src_endpoint: endpointOf(source),
    dst_endpoint: endpointOf(destination),
    data: { events: item.document['ringfence.alert.events'], fields: item.document['ringfence.alert.fields'] },
  });
  // A container alone is no evidence.
  return isKnown(evidence) ? { ...(evidence as Ocsf), container: containerOf(item) } : {};
}

const endpointOf = ({ ip, port }: Endpoint): Ocsf =>
  ip === '' ? {} : { ip, ...(port === '' ? {} : { port: Number(port) }) };
