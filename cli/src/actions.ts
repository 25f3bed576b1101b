/** An action without a running Ringfence: the command writes its record to the operator log of this host. */
export interface LocalAction {
  /** Name of the action in the audit trail */
  readonly action: string;
  /** Option that names what the action is about */
  readonly target?: string;
  /** Option without which the command changes nothing. @default the command always is an action */
  readonly onlyWith?: string;
}

/**
 * How a command that changes something, or hands out evidence, gets its record: `api` by the route of the API that it
 * calls, `start` by the services that it starts, else in the operator log. False: it does neither.
 */
export type Recording = 'api' | 'start' | LocalAction | false;

/** Every command. A test refuses one that is missing here. */
export const ACTIONS: Readonly<Record<string, Recording>> = {
  up: 'start',
  demo: { action: 'demo.run' },
  doctor: false,
  'fim baseline': { action: 'fim.baseline', target: 'file' },
  'fim diff': false,
  integrity: { action: 'integrity.save', target: 'save', onlyWith: 'save' },
  inventory: false,
  posture: false,
  status: false,
  stats: false,
  events: false,
  alerts: false,
  incidents: false,
  'incident show': 'api',
  'incident set': 'api',
  'incident exception': 'api',
  'incident export': 'api',
  'incident hold': 'api',
  'incident release': 'api',
  'respond plan': 'api',
  'respond run': 'api',
  'respond undo': 'api',
  'respond panic': { action: 'respond.panic' },
  // Like the rules: `up` records the playbooks that it loads.
  'playbooks check': false,
  'playbooks test': false,
  'playbooks explain': false,
  'playbooks simulate': false,
  'playbooks schema': false,
  'audit list': false,
  'audit verify': false,
  'kibana install': { action: 'kibana.install' },
  'kibana plan': false,
  'kibana export': false,
  'sinks list': false,
  'sinks check': false,
  'sinks test': { action: 'sinks.test', target: 'file' },
  'sinks replay': 'api',
  'sinks kinds': false,
  record: 'api',
  // Rules that these commands write take effect only when `up` loads them, and `up` records its rules.
  'rules new': false,
  'rules check': false,
  'rules test': false,
  'rules witness': false,
  'rules explain': false,
  'rules bench': false,
  'rules convert': false,
  'rules coverage': false,
  'rules fields': false,
  'rules schema': false,
  replay: false,
  trace: false,
  'probes list': false,
  'probes check': false,
  'probes fields': false,
  'config show': false,
  'topics plan': false,
  'topics apply': { action: 'brokers.apply' },
  topology: false,
  'authority init': { action: 'authority.init' },
  'authority issue': { action: 'authority.issue', target: 'subject' },
  token: 'api',
  revoke: 'api',
  enrol: { action: 'member.enrol', target: 'subject' },
  // A fleet for development, with a state of its own.
  'dev fleet': false,
  completion: false,
};
