import type { IndexView, Source } from './model.ts';

/** Prefix of ids, so that an installation replaces only what it installed. */
const ID = 'ringfence';

export const dataViewId = (source: Source): string => `${ID}-${source}`;
export const dashboardId = (name: string): string => `${ID}-dashboard-${name}`;
export const searchId = (name: string): string => `${ID}-search-${name}`;

const NAMES: Readonly<Record<Source, string>> = {
  incidents: 'Ringfence incidents',
  alerts: 'Ringfence alerts',
  actions: 'Ringfence response',
  events: 'Ringfence events',
  audit: 'Ringfence audit trail',
  heads: 'Ringfence chain heads',
};

/** Returns the data views on the streams and indices of `auditor.elasticsearch.prefix`, whatever their namespace. */
export function dataViewsOf(prefix: string): IndexView[] {
  const patterns: Readonly<Record<Source, string>> = {
    incidents: `${prefix}-incidents`,
    alerts: `logs-${prefix}.alerts-*`,
    actions: `logs-${prefix}.actions-*`,
    events: `logs-${prefix}.events-*`,
    audit: `logs-${prefix}.audit-*`,
    heads: `${prefix}-audit-heads`,
  };
  return (Object.keys(NAMES) as Source[]).map((source) => ({
    id: dataViewId(source),
    source,
    name: NAMES[source],
    pattern: patterns[source],
    timeField: source === 'heads' ? 'updated' : '@timestamp',
  }));
}
