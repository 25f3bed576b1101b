/** Fields of changes of files and mounts, as rules read them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile, matchesOf, Scene } from './scene.ts';

type Play = (scene: Scene) => void;

function holds(condition: string, play: Play): boolean {
  const rules = compile(`- rule: r\n  desc: d\n  condition: ${JSON.stringify(condition)}\n`);
  const scene = new Scene();
  play(scene);
  return matchesOf(scene, rules).length > 0;
}

const plays = {
  rename: (s) => s.change(s.shell, 'RENAME', '/tmp/./a//x.sh', { target: '/etc/cron.d/../cron.d/job' }),
  link: (s) => s.change(s.shell, 'LINK', '/etc/shadow', { target: '/tmp/x' }),
  symlink: (s) => s.change(s.shell, 'SYMLINK', '/tmp/x', { target: '../etc//shadow' }),
  absolute: (s) => s.change(s.shell, 'SYMLINK', '/tmp/x', { target: '/etc//shadow/' }),
  chmod: (s) => s.change(s.shell, 'CHMOD', '/tmp/x', { mode: 0o104755, result: -1 }),
  mkdir: (s) => s.change(s.shell, 'MKDIR', '/tmp/x/', { mode: 0o6755 }),
  mknod: (s) => s.change(s.shell, 'MKNOD', '/tmp/x', { mode: 0o60600, special: 8 << 20 }),
  chown: (s) => s.change(s.shell, 'CHOWN', '/tmp/x', { uid: 0 }),
  setxattr: (s) => s.change(s.shell, 'SETXATTR', '/tmp/x', { target: 'security.capability' }),
  splice: (s) => s.change(s.shell, 'SPLICE', '/tmp/x', { inode: 12n, sourceCaller: false }),
  none: (s) => s.change(s.shell, 'CHMOD', '', { mode: 0o644, result: -9 }),
  open: (s) => s.open(s.shell, '/tmp/../etc//passwd', 0, { result: -2 }),
  bind: (s) => s.mountChange(s.shell, 'MOUNT', { source: '/a/../b', target: '/mnt/.', flags: 4096 | 16_384 }),
  tmpfs: (s) =>
    s.mountChange(s.shell, 'MOUNT', { source: 'none', target: '/mnt', filesystem: 'tmpfs', options: 'size=1' }),
  umount: (s) => s.mountChange(s.shell, 'UMOUNT', { target: '/mnt', flags: 2, result: -22 }),
  attributes: (s) => s.mountChange(s.shell, 'MOUNT_SETATTR', { target: '/mnt', attributes: 8, cleared: 1 }),
  chroot: (s) => s.mountChange(s.shell, 'CHROOT', { target: '/srv', sourceCaller: false }),
} satisfies Record<string, Play>;

/** Conditions that hold on each event, and conditions that do not. */
const table: readonly (readonly [event: keyof typeof plays, yes: readonly string[], no: readonly string[]])[] = [
  [
    'rename',
    [
      'event.action = rename and event.category = file and event.outcome = success',
      'file.path = /tmp/a/x.sh and file.name = x.sh and file.directory = /tmp/a and file.extension = sh',
      'file.target_path = /etc/cron.d/job',
      'evt.type = rename and evt.arg.oldpath = /tmp/a/x.sh and evt.arg.newpath = /etc/cron.d/job',
      'fs.path.source = /tmp/a/x.sh and fs.path.target startswith /etc/cron.d/',
    ],
    ['file.inode exists', 'file.mode exists', 'file.uid exists', 'file.setid = true', 'file.xattr exists'],
  ],
  [
    'link',
    [
      'evt.arg.oldpath = /etc/shadow and evt.arg.newpath = /tmp/x',
      'fs.path.source = /tmp/x and fs.path.target = /etc/shadow',
    ],
    ['fs.path.source = /etc/shadow'],
  ],
  [
    'symlink',
    [
      'file.target_path = ../etc//shadow and evt.arg.linkpath = /tmp/x',
      'fs.path.source = /tmp/x',
      'fs.path.name = /tmp/x',
    ],
    ['file.target_path = /etc/shadow'],
  ],
  ['absolute', ['evt.arg.target = /etc/shadow'], []],
  [
    'chmod',
    [
      'event.action = chmod and file.setid = true and file.mode = 2541',
      'event.result = -1 and event.outcome = failure',
    ],
    ['file.type exists', 'file.target_path exists', 'fs.path.source exists'],
  ],
  ['mkdir', ['event.action = mkdir and file.path = /tmp/x and file.mode exists'], ['file.setid = true']],
  ['mknod', ['event.action = mknod and file.type = block'], ['file.setid = true']],
  ['chown', ['event.action = chown and file.uid = 0'], ['file.gid exists', 'file.mode exists']],
  ['setxattr', ['event.action = setxattr and file.xattr = security.capability'], ['file.target_path exists']],
  ['splice', ['event.action = splice and file.inode = 12'], []],
  ['none', ['event.action = chmod and file.mode = 420'], ["file.path startswith '/'"]],
  ['open', ['event.action = open and file.path = /etc/passwd'], []],
  [
    'bind',
    ['event.action = mount and mount.source = /b and mount.target = /mnt and mount.flags = bind', 'mount.flags = rec'],
    ['mount.flags = ro', 'mount.filesystem exists', 'file.path exists'],
  ],
  [
    'tmpfs',
    ['mount.source = none and mount.filesystem = tmpfs and mount.options = size=1', 'fs.path.target = /mnt'],
    ['mount.flags exists'],
  ],
  ['umount', ['event.action = umount and mount.flags = detach and event.outcome = failure'], ['mount.source exists']],
  ['attributes', ['event.action = mount_setattr and mount.flags = noexec and mount.cleared = ro'], []],
  ['chroot', ['event.action = chroot and mount.target = /srv'], []],
];

describe('fields of changes of files and mounts', () => {
  for (const [event, yes, no] of table) {
    it(`describe ${event}`, () => {
      for (const condition of yes) assert.ok(holds(condition, plays[event]), condition);
      for (const condition of no) assert.ok(!holds(condition, plays[event]), condition);
    });
  }
});
