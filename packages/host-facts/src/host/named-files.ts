import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable, isRemoteFilesystem, readBounded } from '@ringfence/host-kit';
import { parseMount } from './mounts.ts';

const PASSWD_MAX_BYTES = 16 << 20;
const MOUNTS_MAX_BYTES = 8 << 20;
const HOMES_MAX = 64;
const FOLDER_MAX = 64;

/** Files of the system whose content gives access to it. */
const FILES: readonly string[] = [
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/passwd',
  '/etc/group',
  '/etc/sudoers',
  '/etc/doas.conf',
  '/etc/ld.so.preload',
  '/etc/crontab',
  '/etc/krb5.keytab',
  '/etc/ssh/ssh_host_rsa_key',
  '/etc/ssh/ssh_host_ecdsa_key',
  '/etc/ssh/ssh_host_ed25519_key',
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/super-admin.conf',
  '/etc/kubernetes/kubelet.conf',
  '/var/lib/kubelet/kubeconfig',
  '/etc/rancher/k3s/k3s.yaml',
  '/var/lib/rancher/k3s/server/token',
  '/var/lib/rancher/k3s/server/node-token',
];

/** Folders whose files all do. */
const FOLDERS: readonly string[] = [
  '/etc/sudoers.d',
  '/etc/kubernetes/pki',
  '/etc/kubernetes/pki/etcd',
  '/var/lib/kubelet/pki',
  '/var/lib/rancher/k3s/server/tls',
  '/var/lib/rancher/k3s/server/cred',
];

/** The same in the home of each user, by folder. */
const HOME_FILES: Readonly<Record<string, readonly string[]>> = {
  '.': ['.git-credentials', '.netrc', '.pgpass', '.my.cnf'],
  '.ssh': [
    ...['authorized_keys', 'authorized_keys2', 'id_rsa', 'id_ecdsa', 'id_ed25519', 'id_dsa'],
    ...['id_ed25519_sk', 'id_ecdsa_sk'],
  ],
  '.aws': ['credentials'],
  '.azure': ['msal_token_cache.json'],
  '.config/gcloud': ['credentials.db', 'application_default_credentials.json'],
  '.kube': ['config'],
};

/**
 * Returns the existing files that give access to the host, as paths on the host: password hashes, keys, tokens, and the
 * files that decide who may become whom. Leaves out files on remote file systems, which could block the caller.
 */
export function namedFiles(hostRoot: string): string[] {
  const isLocal = localPaths(hostRoot);
  const homes = homesOf(hostRoot).filter(isLocal);
  const folders = FOLDERS.filter(isLocal).flatMap((folder) => filesIn(hostRoot, folder));
  const files = [...FILES, ...homes.flatMap((home) => filesOfHome(hostRoot, home))];
  return [...new Set([...files.filter((path) => isLocal(path) && isFile(join(hostRoot, path))), ...folders])];
}

export function isFile(path: string): boolean {
  return ifReadable(() => lstatSync(path).isFile()) ?? false;
}

function filesIn(hostRoot: string, folder: string): string[] {
  const entries: Dirent[] = ifReadable(() => readdirSync(join(hostRoot, folder), { withFileTypes: true })) ?? [];
  return entries
    .filter((entry) => entry.isFile())
    .slice(0, FOLDER_MAX)
    .map(({ name }) => join(folder, name));
}

/** Looks for the folders first, because most homes have few of them. */
function filesOfHome(hostRoot: string, home: string): string[] {
  const folders = Object.entries(HOME_FILES).filter(([folder]) => isDirectory(join(hostRoot, home, folder)));
  return folders.flatMap(([folder, names]) => names.map((name) => join(home, folder, name)));
}

const isDirectory = (path: string): boolean => ifReadable(() => lstatSync(path).isDirectory()) ?? false;

/** Returns the distinct homes of the user database. Accounts of the system have a folder of programs, or none. */
function homesOf(hostRoot: string): string[] {
  const text = readBounded(join(hostRoot, 'etc/passwd'), PASSWD_MAX_BYTES)?.toString('utf8') ?? '';
  const homes = text.split('\n').map((line) => line.split(':')[5] ?? '');
  return [...new Set(homes)]
    .filter((home) => /^\/(?!(?:bin|dev|nonexistent|proc|run|sbin|sys|usr)(?:\/|$)).+/.test(home))
    .slice(0, HOMES_MAX);
}

/** Returns whether a path is on a file system of this machine, by the mounts that this process has. */
function localPaths(hostRoot: string): (path: string) => boolean {
  const lines = readBounded('/proc/self/mountinfo', MOUNTS_MAX_BYTES)?.toString('latin1').split('\n') ?? [];
  const remote = lines
    .map((line) => parseMount(line, 0))
    .filter((mount) => mount !== null && isRemoteFilesystem(mount.filesystem))
    .map((mount) => mount?.point.toString() ?? '');
  const isBelow = (path: string, point: string): boolean => path === point || path.startsWith(join(point, '/'));
  return (path) => !remote.some((point) => isBelow(join(hostRoot, path), point));
}
