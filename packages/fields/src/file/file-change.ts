import { type EventView, KIND, leaf, normalPath, records, UNSET_ID } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { mountSource, mountTarget } from './mount.ts';

const { FileOperation } = records;
const operation = bodyLong(leaf.FileChange.operation);
const path = bodyText(leaf.FileChange.pathBytes);
const target = bodyText(leaf.FileChange.targetBytes);
const mode = bodyLong(leaf.FileChange.mode);
const uid = bodyLong(leaf.FileChange.uid);
const gid = bodyLong(leaf.FileChange.gid);

const SET_ID = records.FileMode.S_ISUID | records.FileMode.S_ISGID;
const WITH_PERMISSIONS: ReadonlySet<number> = new Set([FileOperation.FILE_CHMOD, FileOperation.FILE_MKDIR]);
const ATTRIBUTES: ReadonlySet<number> = new Set([FileOperation.FILE_SETXATTR, FileOperation.FILE_REMOVEXATTR]);

export const changedPath = (event: EventView): string => normalPath(path(event));

/** As the caller passed it; a path is made absolute but not normalized. */
export const changedTargetAsWritten = (event: EventView): string | undefined =>
  ATTRIBUTES.has(operation(event)) ? undefined : nonEmpty(target(event));

/** Returns the requested mode, with the file type on mknod; undefined when the call has no mode. */
export function changedMode(event: EventView): number | undefined {
  if (operation(event) === FileOperation.FILE_MKNOD) return mode(event);
  return WITH_PERMISSIONS.has(operation(event)) ? mode(event) & 0o7777 : undefined;
}

/** The target of a symbolic link is arbitrary text: normalize it only if it is absolute. */
function targetPath(event: EventView): string | undefined {
  if (ATTRIBUTES.has(operation(event))) return undefined;
  const text = target(event);
  return nonEmpty(operation(event) !== FileOperation.FILE_SYMLINK || text.startsWith('/') ? normalPath(text) : text);
}

const isLink = (event: EventView): boolean => operation(event) === FileOperation.FILE_LINK;
const stays = (id: number): number | undefined => (id === UNSET_ID ? undefined : id);
const kinds = ['file_change'];
const pathKinds = [...kinds, 'mount_change'];

/** Fields of file changes, besides those that they share with opens. */
export const fileChangeFields: readonly Field[] = [
  {
    name: 'file.target_path',
    type: 'string',
    doc: 'New path of a rename or hard link, or target of a symbolic link, which can be relative.',
    aliases: ['evt.arg.newpath', 'evt.arg.target'],
    kinds,
    get: targetPath,
  },
  {
    name: 'file.setid',
    type: 'bool',
    doc: 'chmod or mknod requests the set-user-id or set-group-id bit.',
    kinds,
    get: (event) => operation(event) !== FileOperation.FILE_MKDIR && ((changedMode(event) ?? 0) & SET_ID) !== 0,
  },
  {
    name: 'file.uid',
    type: 'number',
    doc: 'Owner that chown requests.',
    kinds,
    get: (event) => stays(uid(event)),
  },
  {
    name: 'file.gid',
    type: 'number',
    doc: 'Group that chown requests.',
    kinds,
    get: (event) => stays(gid(event)),
  },
  {
    name: 'file.xattr',
    type: 'string',
    doc: 'Extended attribute that is set or removed: security.capability holds file capabilities.',
    kinds,
    get: (event) => (ATTRIBUTES.has(operation(event)) ? target(event) : undefined),
  },
  {
    name: 'fs.path.source',
    aliases: ['evt.abspath.src'],
    type: 'string',
    doc: "Falco's field: old path of a rename, new name of a link, device or path that is mounted.",
    kinds: pathKinds,
    get: (event) => {
      if (event.cursor.kind === KIND.MountChange) return mountSource(event);
      if (targetPath(event) === undefined) return undefined;
      return isLink(event) ? targetPath(event) : nonEmpty(changedPath(event));
    },
  },
  {
    name: 'fs.path.target',
    aliases: ['evt.abspath.dst'],
    type: 'string',
    doc: "Falco's field: new path of a rename, target of a link, mount point.",
    kinds: pathKinds,
    get: (event) => {
      if (event.cursor.kind === KIND.MountChange) return mountTarget(event);
      if (targetPath(event) === undefined) return undefined;
      return isLink(event) ? nonEmpty(changedPath(event)) : targetPath(event);
    },
  },
];
