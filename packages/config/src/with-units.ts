import type { Milliseconds } from './setting.ts';
import { isRecord, leavesOf, type SettingsSchema } from './walk.ts';

/** Appends `Ms` to the names of durations, at any depth. */
export type WithUnits<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? {
        readonly [K in keyof T as T[K] extends Milliseconds ? `${K & string}Ms` : K]: T[K] extends Milliseconds
          ? number
          : WithUnits<T[K]>;
      }
    : T;

export function withUnits<T>(schema: SettingsSchema, settings: T): WithUnits<T> {
  const durations = new Set(leavesOf(schema).flatMap(({ key, info }) => (info.kind === 'duration' ? [key] : [])));
  const rename = (node: unknown, prefix: string): unknown => {
    if (Array.isArray(node)) return Object.freeze([...node]);
    if (!isRecord(node)) return node;
    const entries = Object.entries(node).map(([name, child]) => {
      const key = `${prefix}${name}`;
      return [durations.has(key) ? `${name}Ms` : name, rename(child, `${key}.`)];
    });
    return Object.freeze(Object.fromEntries(entries));
  };
  return rename(settings, '') as WithUnits<T>;
}
