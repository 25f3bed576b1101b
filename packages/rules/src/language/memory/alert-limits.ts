import type { FieldIndex } from '../../model/catalogue.ts';
import type { AlertLimit } from '../../model/rule.ts';
import type { YamlMap } from '../file/yaml.ts';
import { knownEntries, readBy, readCount, readDuration, text } from './threshold.ts';

export const SUPPRESS_KEYS = ['by', 'for'] as const;
export const THROTTLE_KEYS = ['alerts', 'per'] as const;

/**
 * `suppress: { by: [process.executable], for: 10m }`: one alert for each combination, then none for a while.
 * @throws Fault
 */
export function readSuppress<E>(node: YamlMap, fields: FieldIndex<E>): AlertLimit<E> {
  const entries = knownEntries(node, SUPPRESS_KEYS, 'suppress');
  return {
    limit: 'suppress',
    atLeast: 1,
    distinct: undefined,
    weight: undefined,
    by: readBy(entries.get('by')?.value, fields),
    withinUs: readDuration(text(entries.get('for')?.value, node.at, 'for')),
  };
}

/** `throttle: { alerts: 20, per: 1h }`: so many alerts in each hour, whatever they are about. @throws Fault */
export function readThrottle<E>(node: YamlMap): AlertLimit<E> {
  const entries = knownEntries(node, THROTTLE_KEYS, 'throttle');
  return {
    limit: 'throttle',
    atLeast: readCount(text(entries.get('alerts')?.value, node.at, 'alerts')),
    distinct: undefined,
    weight: undefined,
    by: [],
    withinUs: readDuration(text(entries.get('per')?.value, node.at, 'per')),
    tumbling: true,
  };
}
