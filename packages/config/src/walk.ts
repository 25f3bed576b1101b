import type { z } from 'zod';
import { type SettingInfo, sectionDoc, settingInfo } from './setting.ts';

export interface Leaf {
  /** path joined by dots */
  readonly key: string;
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
  readonly info: SettingInfo;
}

export interface Section {
  readonly key: string;
  readonly doc: string;
}

/** A schema of settings and sections. */
export type SettingsSchema = z.ZodObject<Readonly<Record<string, z.core.$ZodType>>>;

function isSection(schema: z.core.$ZodType): schema is z.ZodPrefault<SettingsSchema> {
  return sectionDoc.has(schema);
}

/** Yields settings and sections in the order of their definition. */
export function* walk(schema: SettingsSchema, path: readonly string[] = []): Generator<Leaf | Section> {
  for (const [name, child] of Object.entries(schema.shape)) {
    const childPath = [...path, name];
    const key = childPath.join('.');
    const info = settingInfo.get(child);
    if (info !== undefined) yield { key, path: childPath, schema: child, info };
    if (!isSection(child)) continue;
    yield { key, doc: sectionDoc.get(child) ?? '' };
    yield* walk(child.unwrap(), childPath);
  }
}

export function leavesOf(schema: SettingsSchema): Leaf[] {
  return [...walk(schema)].filter((node) => 'info' in node);
}

/** Returns the environment variable of a setting: RINGFENCE_SENSOR_POLL_INTERVAL for sensor.pollInterval. */
export function environmentName(key: string): string {
  return `RINGFENCE_${key.replaceAll('.', '_').replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
}

export function getAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, key) => (isRecord(node) ? node[String(key)] : undefined), value);
}

export function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = target;
  for (const key of path.slice(0, -1)) {
    const next = node[key];
    const section = isRecord(next) ? next : {};
    node[key] = section;
    node = section;
  }
  node[path.at(-1)!] = value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
