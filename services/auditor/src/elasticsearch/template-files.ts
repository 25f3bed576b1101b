import { CLUSTER_DEFAULTS } from './options.ts';
import { type Template, templatesFor } from './templates.ts';

/** The templates as they are installed with default settings, for whoever installs them by other means: bodies by name, as JSON. */
export function templateFiles(kind: Template['kind']): string {
  const templates = templatesFor(CLUSTER_DEFAULTS, { lifecycle: true, elasticsearch: true });
  const bodies = templates.filter((template) => template.kind === kind).map(({ name, body }) => [name, body] as const);
  return `${JSON.stringify(Object.fromEntries(bodies), null, 2)}\n`;
}
