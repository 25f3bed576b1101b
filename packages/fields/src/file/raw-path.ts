import { type EventView, KIND, leaf, records } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { changedPath, changedTargetAsWritten } from './file-change.ts';

const { FileOperation } = records;
const operation = bodyLong(leaf.FileChange.operation);
const openPath = bodyText(leaf.Open.rawPathBytes);
const changePath = bodyText(leaf.FileChange.rawPathBytes);
const changeTarget = bodyText(leaf.FileChange.rawTargetBytes);

/** Returns the path as the caller passed it; undefined if the call took a descriptor, or no rule asked for the path. */
export const rawPath = (event: EventView): string | undefined =>
  nonEmpty(event.cursor.kind === KIND.Open ? openPath(event) : changePath(event));

/** The same of the second path. The target of a symbolic link is any text, which every event has. */
function rawTarget(event: EventView): string | undefined {
  return operation(event) === FileOperation.FILE_SYMLINK
    ? changedTargetAsWritten(event)
    : nonEmpty(changeTarget(event));
}

const TWO_PATHS: ReadonlySet<number> = new Set([
  FileOperation.FILE_RENAME,
  FileOperation.FILE_LINK,
  FileOperation.FILE_SYMLINK,
]);

/** As Falco's fs.path fields: a call has one path, or source and target; a descriptor has the path of its file. */
export const rawPaths = {
  name(event: EventView): string | undefined {
    if (event.cursor.kind === KIND.Open) return rawPath(event);
    if (TWO_PATHS.has(operation(event))) return undefined;
    return rawPath(event) ?? (event.cursor.leafBoolean(leaf.FileChange.sourceCaller) ? undefined : changedPath(event));
  },
  /** A link is made from its new name. */
  source(event: EventView): string | undefined {
    if (!TWO_PATHS.has(operation(event))) return undefined;
    return operation(event) === FileOperation.FILE_LINK ? rawTarget(event) : rawPath(event);
  },
  target(event: EventView): string | undefined {
    if (!TWO_PATHS.has(operation(event))) return undefined;
    return operation(event) === FileOperation.FILE_LINK ? rawPath(event) : rawTarget(event);
  },
};

/** Paths as the caller passed them, for rules on relative paths and links. */
export const rawPathFields: readonly Field[] = [
  {
    name: 'file.raw_path',
    type: 'string',
    doc: 'Path as the caller passed it, from its memory (source: caller): relative, with `..`, by a link such as /proc/self/exe. Recorded while a rule reads this field or one of Falco that shows it; absent when the call takes a descriptor.',
    kinds: ['open', 'file_change'],
    optional: 'raw paths',
    get: rawPath,
  },
  {
    name: 'file.raw_target_path',
    type: 'string',
    doc: 'Second path of a rename or link as the caller passed it, as `file.raw_path`; the text of a symbolic link.',
    kinds: ['file_change'],
    optional: 'raw paths',
    get: rawTarget,
  },
];
