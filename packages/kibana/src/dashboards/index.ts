import type { Content, Dashboard } from '../model.ts';
import { dataViewsOf } from '../sources.ts';
import { ALERTS } from './alerts.ts';
import { ATTACK_CHAINS } from './attack-chains.ts';
import { AUDIT } from './audit.ts';
import { HEALTH } from './health.ts';
import { HOSTS } from './hosts.ts';
import { RESPONSE } from './response.ts';
import { SEARCHES } from './searches.ts';

const DASHBOARDS: readonly Dashboard[] = [ATTACK_CHAINS, ALERTS, HOSTS, RESPONSE, HEALTH, AUDIT];

/** Returns everything that is installed. `prefix`: that of the auditor's streams (`auditor.elasticsearch.prefix`). */
export const contentFor = (prefix: string): Content => ({
  dataViews: dataViewsOf(prefix),
  searches: SEARCHES,
  dashboards: DASHBOARDS,
});
