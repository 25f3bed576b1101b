import { KibanaError } from '../errors.ts';
import { jsonObject, type Kibana } from './kibana.ts';

export interface Target {
  readonly version: string;
  /** Kibana 9.4 and newer take dashboards as typed JSON, which they check; older ones take saved objects. */
  readonly takesDashboards: boolean;
}

const OLDEST = [8, 12] as const;
const FIRST_WITH_DASHBOARDS = [9, 4] as const;

/** Asks Kibana for its version. Rejects with KibanaError if it is too old, or no Kibana. */
export async function targetOf(kibana: Kibana): Promise<Target> {
  const { status, headers, text } = await kibana.get('/api/status');
  if (headers['osd-name'] !== undefined)
    throw new KibanaError(
      'ERR_KIBANA_OPENSEARCH',
      'this is OpenSearch Dashboards, which has no Lens: it cannot draw these dashboards',
    );
  const version = (jsonObject(text)?.['version'] ?? {}) as { readonly number?: unknown };
  const number = typeof version.number === 'string' ? version.number : '';
  const parts = /^(\d{1,4})\.(\d{1,4})\.\d/.exec(number);
  if (status !== 200 || parts === null)
    throw new KibanaError(
      'ERR_KIBANA_ANSWER',
      `/api/status (${status}) names no version: check that the address is Kibana's`,
    );
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  const isAtLeast = ([oldestMajor, oldestMinor]: readonly [number, number]): boolean =>
    major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (!isAtLeast(OLDEST))
    throw new KibanaError('ERR_KIBANA_VERSION', `Kibana ${number} is too old: ${OLDEST.join('.')} or newer is needed`);
  return { version: number, takesDashboards: isAtLeast(FIRST_WITH_DASHBOARDS) };
}
