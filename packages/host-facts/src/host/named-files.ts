import { join } from 'node:path';
import type { HostFiles } from './host-files.ts';

const PASSWD_MAX_BYTES = 16 << 20;
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
 * files that decide who may become whom.
 */
export async function namedFiles(files: HostFiles): Promise<string[]> {
  const found = new Set<string>();
  const addExisting = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) if ((await files.kindOf(path)) === 'file') found.add(path);
  };
  await addExisting(FILES);
  for (const home of await homesOf(files)) await addExisting(await filesOfHome(files, home));
  for (const folder of FOLDERS) for (const path of await files.filesIn(folder, FOLDER_MAX)) found.add(path);
  return [...found];
}

/** Looks for the folders first, because most homes have few of them. */
async function filesOfHome(files: HostFiles, home: string): Promise<string[]> {
  const paths: string[] = [];
  for (const [folder, names] of Object.entries(HOME_FILES))
    if ((await files.kindOf(join(home, folder))) === 'directory')
      paths.push(...names.map((name) => join(home, folder, name)));
  return paths;
}

/** Returns the distinct homes of the user database. Accounts of the system have a folder of programs, or none. */
async function homesOf(files: HostFiles): Promise<string[]> {
  const text = await files.read('/etc/passwd', PASSWD_MAX_BYTES);
  const homes = text.split('\n').map((line) => line.split(':')[5] ?? '');
  return [...new Set(homes)]
    .filter((home) => /^\/(?!(?:bin|dev|nonexistent|proc|run|sbin|sys|usr)(?:\/|$)).+/.test(home))
    .slice(0, HOMES_MAX);
}
