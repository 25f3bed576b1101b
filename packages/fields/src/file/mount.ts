import { type EventView, leaf, normalPath, records } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const { MountOperation } = records;
const operation = bodyLong(leaf.MountChange.operation);
const flags = bodyLong(leaf.MountChange.flags);
const attributes = bodyLong(leaf.MountChange.attributes);
const cleared = bodyLong(leaf.MountChange.cleared);
const source = bodyText(leaf.MountChange.sourceBytes);
const target = bodyText(leaf.MountChange.targetBytes);
const filesystem = bodyText(leaf.MountChange.filesystemBytes);
const options = bodyText(leaf.MountChange.optionsBytes);

type Bits = readonly (readonly [bit: number, name: string])[];

// include/uapi/linux/mount.h
const MOUNT_ATTRIBUTES: Bits = [
  [1, 'ro'],
  [2, 'nosuid'],
  [4, 'nodev'],
  [8, 'noexec'],
];
const MOUNT_FLAGS: Bits = [
  ...MOUNT_ATTRIBUTES,
  [32, 'remount'],
  [4096, 'bind'],
  [8192, 'move'],
  [16_384, 'rec'],
  [1 << 17, 'unbindable'],
  [1 << 18, 'private'],
  [1 << 19, 'slave'],
  [1 << 20, 'shared'],
];
const UNMOUNT_FLAGS: Bits = [
  [1, 'force'],
  [2, 'detach'],
  [4, 'expire'],
  [8, 'nofollow'],
];

const named = (bits: Bits, value: number): readonly string[] | undefined => {
  const names = bits.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? undefined : names;
};

function flagNames(event: EventView): readonly string[] | undefined {
  switch (operation(event)) {
    case MountOperation.MOUNT_MOUNT:
      return named(MOUNT_FLAGS, flags(event));
    case MountOperation.MOUNT_UMOUNT:
      return named(UNMOUNT_FLAGS, flags(event));
    default:
      return named(MOUNT_ATTRIBUTES, attributes(event));
  }
}

/** The source can be a device or any text: normalize it only if it is an absolute path. */
export const mountSource = (event: EventView): string | undefined => {
  const text = source(event);
  return nonEmpty(text.startsWith('/') ? normalPath(text) : text);
};
export const mountTarget = (event: EventView): string | undefined => nonEmpty(normalPath(target(event)));

const kinds = ['mount_change'];

/** Fields of mounts and changes of the root. */
export const mountFields: readonly Field[] = [
  {
    name: 'mount.source',
    type: 'string',
    doc: 'Device, or the path that is bound, moved or copied; new place of the old root (pivot_root).',
    aliases: ['evt.arg.dev'],
    kinds,
    get: mountSource,
  },
  {
    name: 'mount.target',
    type: 'string',
    doc: 'Mount point, or the new root (pivot_root, chroot).',
    aliases: ['evt.arg.dir'],
    kinds,
    get: mountTarget,
  },
  {
    name: 'mount.filesystem',
    type: 'string',
    doc: 'Kind of file system: ext4, overlay, tmpfs.',
    kinds,
    get: (event) => nonEmpty(filesystem(event)),
  },
  {
    name: 'mount.options',
    type: 'string',
    doc: 'Options of the file system; omitted for file systems whose options contain passwords (cifs, smb3).',
    kinds,
    get: (event) => nonEmpty(options(event)),
  },
  {
    name: 'mount.flags',
    type: 'strings',
    doc: 'ro, nosuid, nodev, noexec, remount, bind, move, rec, private, slave, shared, unbindable; on umount force, detach, expire, nofollow.',
    kinds,
    get: flagNames,
  },
  {
    name: 'mount.cleared',
    type: 'strings',
    doc: 'Attributes that mount_setattr removes: ro, nosuid, nodev, noexec.',
    kinds,
    get: (event) => named(MOUNT_ATTRIBUTES, cleared(event)),
  },
];
