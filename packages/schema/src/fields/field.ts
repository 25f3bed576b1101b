import type { EventView } from '../event-batch.ts';
import { type KindName, leafIndex } from '../layout.ts';

/** What a field's accessor hands out; undefined: the event has no such value. */
export type FieldValue = string | number | boolean | readonly string[] | undefined;

/** `ip` values are text ("10.0.0.1", "fe80::1"); `strings` holds several, such as the arguments of a process. */
export type FieldType = 'string' | 'number' | 'bool' | 'ip' | 'strings';

/** One field that conditions and outputs can name. */
export interface Field {
  /** ECS name where ECS has one */
  readonly name: string;
  readonly type: FieldType;
  readonly doc: string;
  /** Falco's and Sigma's names of the same field */
  readonly aliases?: readonly string[];
  /** Kinds on which it can have a value; undefined: all */
  readonly kinds?: readonly string[];
  /** The value it always has on a kind */
  readonly constants?: Readonly<Record<string, string | number | boolean>>;
  readonly argument?: 'index' | 'key';
  readonly argumentOptional?: boolean;
  /** It is a part of the path that another field holds */
  readonly part?: { readonly of: string; readonly is: 'directory' | 'name' };
  get(event: EventView, argument?: string | number): FieldValue;
}

/** A number in the body of one kind of event. */
export const bodyLong = (kind: KindName, name: string): ((event: EventView) => number) => {
  const leaf = leafIndex(kind, name);
  return (event) => event.cursor.leafLong(leaf);
};

export const bodyText = (kind: KindName, name: string): ((event: EventView) => string) => {
  const leaf = leafIndex(kind, name);
  return (event) => event.cursor.leafText(leaf);
};

/** Last component of a path. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** All but the last component of a path. */
export const directory = (path: string): string =>
  path.slice(0, Math.max(path.lastIndexOf('/'), path.startsWith('/') ? 1 : 0));
