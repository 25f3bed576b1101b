import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { auditd } from './auditd.ts';
import { fileEventFiltered, kernelSources } from './kernel-sources.ts';
import { anyLog, logServices } from './log-sources.ts';
import type { LogSource, LogSourceName, LogSourceUse, NoLogSource } from './taxonomy.ts';

const PRODUCTS = ['linux'];
const SERVICES = ['auditd', ...Object.keys(logServices)];
/** Products whose logs are services of Linux. */
const AS_SERVICE: ReadonlySet<string> = new Set(['apache', 'nginx', 'modsecurity', 'clamav', 'guacamole', 'vsftpd']);

/** Returns the log source that a rule names. */
export function findLogSource(name: LogSourceName, use: LogSourceUse): LogSource | NoLogSource {
  const { product, category } = name;
  const service = name.service === '' && AS_SERVICE.has(product) ? product : name.service;
  if (product !== '' && !PRODUCTS.includes(product) && service !== product)
    return never(`events of '${product}' never come here`, didYouMean(product, PRODUCTS));
  if (category !== '') return category === 'file_event' && use.filtered ? fileEventFiltered : byCategory(category);
  if (service === 'auditd') return auditd(use);
  if (service !== '') {
    if (Object.hasOwn(logServices, service)) return logServices[service]!;
    return never(
      `no log of '${service}' is read here`,
      didYouMean(service, SERVICES, `Services: ${SERVICES.join(', ')}.`),
    );
  }
  return product === '' ? never('the log source names neither product, category nor service', '') : anyLog;
}

function byCategory(category: string): LogSource | NoLogSource {
  if (Object.hasOwn(kernelSources, category)) return kernelSources[category]!;
  const known = Object.keys(kernelSources);
  const hint = didYouMean(category, known, `Categories: ${known.join(', ')}.`);
  return never(`events of the category '${category}' never come here`, hint);
}

function never(why: string, hint: string): NoLogSource {
  return { never: why, hint };
}
