import { closeSync, constants, openSync } from 'node:fs';
import type { EvidenceItem } from '../chain.ts';
import { Content, copyAll, type Reading, storeJson } from './content.ts';
import { copyFile } from './file-reader.ts';
import { alive, note } from './report.ts';
import { socketsOf } from './sockets.ts';
import { attempt, headOf, linkOf, namesOf, statFd, statTexts, targetPath } from './target.ts';

/** Files of /proc/PID that are collected as they are */
const FILES = [
  'status',
  'stat',
  'cmdline',
  'environ',
  'maps',
  'cgroup',
  'limits',
  'mountinfo',
  'io',
  'loginuid',
] as const;
/** Of each of them: a file of /proc may have any length. */
const FILE_MAX = 32 << 20;
const LINKS = ['exe', 'cwd', 'root'] as const;
const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const;
/** The kernel allows a process a million descriptors. */
const DESCRIPTORS_MAX = 100_000;
const FDINFO_MAX = 4096;

type Source = EvidenceItem['source'];

/** Collects what /proc shows of the process, and its executable, even if that was deleted. */
export function readProcess(reading: Reading, source: Source): void {
  const before = executableId();
  for (const name of FILES) readFile(reading, source, name);
  storeJson(reading, { kind: 'links', name: 'links', source }, links());
  const descriptors = readDescriptors();
  storeJson(reading, { kind: 'descriptors', name: 'fds', source }, descriptors);
  storeJson(reading, { kind: 'sockets', name: 'sockets', source }, socketsOf(descriptors.map(({ target }) => target)));
  readExecutable(reading, source);
  if (executableId() !== before) note('the process executed another program, or ended, while it was read');
}

/** Changes when the process executes another program. */
export function executableId(): string {
  try {
    const fd = openSync(targetPath('exe'), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { device, inode } = statFd(fd);
      return `${device}/${inode}`;
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

function readFile(reading: Reading, source: Source, name: string): void {
  const fd = attempt(name, () => openSync(targetPath(name), 'r'));
  if (fd === null) return;
  const content = new Content(reading, { kind: 'proc', name, source }, FILE_MAX);
  attempt(name, () => copyAll(fd, content));
  closeSync(fd);
  content.finish();
}

function links(): Record<string, string> {
  const namespaces = NAMESPACES.map((name) => `ns/${name}`);
  const found = [...LINKS, ...namespaces].flatMap((name): [string, string][] => {
    const target = attempt(name, () => linkOf(name));
    return target === null ? [] : [[name, target]];
  });
  return Object.fromEntries(found);
}

interface Descriptor {
  readonly fd: number;
  readonly target: string;
  /** Position, flags and mount, as in /proc/PID/fdinfo */
  readonly info: string;
}

function readDescriptors(): Descriptor[] {
  const names = attempt('fds', () => namesOf('fd', DESCRIPTORS_MAX)) ?? [];
  return names.flatMap((name): Descriptor[] => {
    alive('fds');
    const target = attempt(`fd ${name}`, () => linkOf(`fd/${name}`));
    if (target === null) return [];
    const info = attempt(`fdinfo ${name}`, () => headOf(`fdinfo/${name}`, FDINFO_MAX).toString('latin1')) ?? '';
    return [{ fd: Number(name), target, info }];
  });
}

function readExecutable(reading: Reading, source: Source): void {
  alive('the executable');
  const fd = attempt('executable', () => openSync(targetPath('exe'), constants.O_RDONLY | constants.O_NONBLOCK));
  if (fd === null) return;
  try {
    const path = attempt('exe', () => linkOf('exe')) ?? '';
    const facts = { kind: 'executable', name: path, source: { ...source, path, ...statTexts(statFd(fd)) } };
    copyFile(reading, fd, facts);
  } finally {
    closeSync(fd);
  }
}
