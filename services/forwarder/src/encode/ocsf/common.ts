import { VERSION } from '@ringfence/base';
import { Priorities, type Priority } from '@ringfence/wire';
import type { Item } from '../../sink.ts';
import { summaryOf } from '../summary.ts';

/** Version of the Open Cybersecurity Schema Framework, schema.ocsf.io */
const OCSF_VERSION = '1.8.0';
const OTHER = 99;

/** An object of OCSF. */
export type Ocsf = Readonly<Record<string, unknown>>;

export interface EventClass {
  readonly uid: number;
  readonly name: string;
  readonly activity: number;
  /** Profiles whose attributes the event has */
  readonly profiles: readonly string[];
}

/** Returns the attributes that all events have. Empty ones are dropped by `known`. */
export function baseEvent(item: Item, { uid, name, activity, profiles }: EventClass): Ocsf {
  const { document, id, group, at } = item;
  const { priority, text, incidentId } = summaryOf(item);
  return {
    category_uid: Math.floor(uid / 1000),
    class_uid: uid,
    class_name: name,
    activity_id: activity,
    type_uid: uid * 100 + activity,
    time: Math.floor(at / 1000),
    ...severityOf(priority),
    message: text,
    metadata: {
      version: OCSF_VERSION,
      uid: id,
      correlation_uid: incidentId || group,
      log_name: document['event.dataset'],
      profiles,
      product: { name: 'Ringfence', vendor_name: 'Ringfence', version: VERSION },
    },
  };
}

const SEVERITIES = ['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical'] as const;

/** OCSF's Fatal means that it is too late to act, which no priority says. */
function severityOf(priority: Priority): Ocsf {
  const severity = [1, 1, 2, 3, 4, 5, 5, 5][Priorities.indexOf(priority)] ?? 0;
  return { severity_id: severity, severity: SEVERITIES[severity] };
}

/** Returns a status with its text, as OCSF asks for where its own list has none. */
export const otherStatus = (status: string): Ocsf => ({ status_id: OTHER, status });

/** The host, with the container of the item if `container` is given. */
export function deviceOf({ document }: Item, container: Ocsf = {}): Ocsf {
  const host = { uid: document['host.id'], hostname: document['host.name'], container };
  if (!isKnown(host.uid) && !isKnown(host.hostname)) return {};
  return { ...host, type_id: 0, os: { name: 'Linux', type_id: 200 } };
}

export function containerOf({ document }: Item): Ocsf {
  const [uid, name] = [document['container.id'], document['container.name']];
  if (!isKnown(uid) && !isKnown(name)) return {};
  const image = document['container.image.name'];
  return {
    uid,
    name,
    runtime: document['container.runtime'],
    image: isKnown(image) ? { uid: image, name: image } : {},
  };
}

/** Returns tactics and techniques as ATT&CK has them. A single tactic is that of each technique. */
export function attacksOf(tactics: readonly string[], techniques: readonly string[]): Ocsf[] {
  const named = tactics.map((name) => ({ tactic: { name } }));
  const [common] = named.length === 1 && techniques.length > 0 ? named : [];
  const identified = techniques.map((id) => {
    const [technique = id] = id.split('.');
    return { ...common, technique: { uid: technique }, sub_technique: id === technique ? {} : { uid: id } };
  });
  return common === undefined ? [...named, ...identified] : identified;
}

/** Returns a value without what is unknown: OCSF leaves out what has no value. */
export function known(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(known).filter(isKnown);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, known(item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => isKnown(item)));
}

export function isKnown(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
