import type { Control, Measure, Source, Terms } from '../model.ts';

/** Fields of several dashboards under one label. */
export const count = (label: string): Measure => ({ op: 'count', label });
export const newest: Measure = { op: 'max', field: '@timestamp', label: 'Last seen' };
export const oldest: Measure = { op: 'min', field: '@timestamp', label: 'First seen' };
export const hosts: Measure = { op: 'unique', field: 'host.id', label: 'Hosts' };

export const terms = (field: string, label: string, size: number, order?: Terms['order']): Terms => ({
  field,
  label,
  size,
  ...(order === undefined ? {} : { order }),
});

/** The controls of dashboards whose documents say where and who. */
export const whereAndWho = (source: Source): Control[] => [
  { title: 'Host', source, field: source === 'events' ? 'host.id' : 'host.name' },
  { title: 'Namespace', source, field: 'orchestrator.namespace' },
  { title: 'Image', source, field: 'container.image.name' },
  { title: 'User', source, field: 'user.name' },
];

export const severity = (source: Source): Control => ({ title: 'Severity', source, field: 'ringfence.severity' });
