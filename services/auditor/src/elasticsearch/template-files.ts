import { CLUSTER_DEFAULTS } from './options.ts';
import { templatesFor } from './templates.ts';

/** Returns the templates with default settings as JSON lines in order, for installing them by other means. */
export function templateLines(): string {
  const templates = templatesFor(CLUSTER_DEFAULTS, { lifecycle: true, elasticsearch: true });
  return templates.map(({ kind, name, body }) => `${JSON.stringify({ put: `/${kind}/${name}`, body })}\n`).join('');
}
