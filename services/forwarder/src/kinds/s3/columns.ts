import type { ItemKind } from '../../sink.ts';

/** Type of a column: a leaf, a group of columns by name, or a list of one type. */
export type Column = 'text' | 'json' | 'int' | 'long' | 'bool' | Columns | readonly [Column];
export interface Columns {
  readonly [name: string]: Column;
}

const user: Columns = { name: 'text' };
const file: Columns = { path: 'text', name: 'text', type_id: 'int' };
const container: Columns = {
  uid: 'text',
  name: 'text',
  runtime: 'text',
  image: { uid: 'text', name: 'text' },
};
const brief: Columns = { uid: 'text', pid: 'int', name: 'text', path: 'text', cmd_line: 'text' };
const parent: Columns = { ...brief, user, file };
const process: Columns = { ...parent, container, parent_process: parent, ancestry: [brief] };
const endpoint: Columns = { ip: 'text', port: 'int' };
const named: Columns = { uid: 'text', name: 'text' };
const attacks: Column = [{ tactic: named, technique: named, sub_technique: named }];
const analytic: Columns = { name: 'text', type_id: 'int' };
const finding: Columns = { uid: 'text', title: 'text', desc: 'text', analytic, attacks };

const base: Columns = {
  category_uid: 'int',
  class_uid: 'int',
  class_name: 'text',
  activity_id: 'int',
  type_uid: 'long',
  time: 'long',
  severity_id: 'int',
  severity: 'text',
  status_id: 'int',
  status: 'text',
  status_detail: 'text',
  message: 'text',
  metadata: {
    version: 'text',
    uid: 'text',
    correlation_uid: 'text',
    log_name: 'text',
    profiles: ['text'],
    product: { name: 'text', vendor_name: 'text', version: 'text' },
  },
  device: { uid: 'text', hostname: 'text', type_id: 'int', os: { name: 'text', type_id: 'int' }, container },
};

const alert: Columns = {
  ...base,
  is_alert: 'bool',
  finding_info: { ...finding, created_time: 'long' },
  actor: { process },
  evidences: [
    {
      actor: { process: { uid: 'text', pid: 'int', name: 'text', cmd_line: 'text' }, user },
      file,
      src_endpoint: endpoint,
      dst_endpoint: endpoint,
      container,
      data: 'json',
    },
  ],
};

const incident: Columns = {
  ...base,
  is_alert: 'bool',
  verdict_id: 'int',
  desc: 'text',
  start_time: 'long',
  end_time: 'long',
  risk_score: 'int',
  assignee_group: { name: 'text' },
  attacks,
  finding_info_list: [{ ...finding, first_seen_time: 'long', last_seen_time: 'long', related_events_count: 'int' }],
};

const response: Columns = {
  ...base,
  command_uid: 'text',
  process,
  countermeasures: [{ d3f_tactic: named, d3f_technique: named }],
};

const operator: Columns = {
  ...base,
  entity: { uid: 'text', type_id: 'int', type: 'text' },
  comment: 'text',
  actor: { process: { pid: 'int', cmd_line: 'text' }, user: { name: 'text', uid: 'text' } },
};

/**
 * Returns the columns of the OCSF events of a kind: all attributes that Ringfence sends, whether a file has values for
 * them or not, so that all files of a folder have one schema.
 */
export const columnsOf = (kind: ItemKind): Columns =>
  ({ alert, incident, command: response, result: response, operator })[kind];
