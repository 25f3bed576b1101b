import { CLUSTER_DEFAULTS } from './options.ts';
import { templatesFor } from './templates.ts';

/** The templates as they are installed with default settings, for whoever installs them by other means: a line each, in order. */
export function templateLines(): string {
  const templates = templatesFor(CLUSTER_DEFAULTS, { lifecycle: true, elasticsearch: true });
  return templates.map(({ kind, name, body }) => `${JSON.stringify({ put: `/${kind}/${name}`, body })}\n`).join('');
}
