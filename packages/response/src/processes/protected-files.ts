/** The executables of a host that are never killed. A table: one line per file, under the root of the host. */
import { type Dirent, readdirSync, statSync } from 'node:fs';

/** Managers of services and containers. */
const MANAGERS: readonly string[] = [
  'lib/systemd/systemd',
  'usr/lib/systemd/systemd',
  'sbin/init',
  'sbin/openrc-init',
  'usr/bin/runsvdir',
  'usr/bin/s6-svscan',
  'usr/bin/dockerd',
  'usr/sbin/dockerd',
  'usr/local/bin/dockerd',
  'usr/bin/rootlesskit',
  'usr/local/bin/rootlesskit',
  'usr/bin/containerd',
  'usr/local/bin/containerd',
  'usr/bin/containerd-shim-runc-v2',
  'usr/local/bin/containerd-shim-runc-v2',
  'usr/bin/crio',
  'usr/local/bin/crio',
  'usr/bin/conmon',
  'usr/local/bin/conmon',
  'usr/libexec/podman/conmon',
  'usr/libexec/crio/conmon',
  'usr/bin/conmonrs',
  'usr/libexec/crio/conmonrs',
  'usr/bin/podman',
  'usr/local/bin/podman',
  'usr/bin/runc',
  'usr/sbin/runc',
  'usr/local/sbin/runc',
  'usr/local/bin/runc',
  'usr/bin/crun',
  'usr/libexec/crio/runc',
  'usr/libexec/crio/crun',
  'usr/bin/kata-runtime',
  'usr/bin/containerd-shim-kata-v2',
  'opt/kata/bin/containerd-shim-kata-v2',
  'usr/bin/lxcfs',
  'usr/sbin/incusd',
  'usr/libexec/incus/incusd',
  'usr/sbin/libvirtd',
  'usr/bin/kubelet',
  'usr/local/bin/kubelet',
  'opt/bin/kubelet',
  'usr/bin/k3s',
  'usr/local/bin/k3s',
  'opt/bin/k3s',
  'usr/bin/rke2',
  'usr/local/bin/rke2',
  'opt/rke2/bin/rke2',
  'usr/bin/k0s',
  'usr/local/bin/k0s',
  'var/lib/k0s/bin/containerd',
  'var/lib/k0s/bin/containerd-shim-runc-v2',
  'var/lib/k0s/bin/kubelet',
  'var/lib/k0s/bin/runc',
  'var/lib/rancher/k3s/data/*/bin/k3s',
  'var/lib/rancher/k3s/data/*/bin/containerd',
  'var/lib/rancher/k3s/data/*/bin/containerd-shim-runc-v2',
  'var/lib/rancher/k3s/data/*/bin/runc',
  'var/lib/rancher/rke2/bin/rke2',
  'var/lib/rancher/rke2/data/*/bin/containerd',
  'var/lib/rancher/rke2/data/*/bin/containerd-shim-runc-v2',
  'var/lib/rancher/rke2/data/*/bin/kubelet',
  'var/lib/rancher/rke2/data/*/bin/runc',
  'snap/docker/*/bin/dockerd',
  'snap/docker/*/bin/containerd',
  'snap/docker/*/bin/containerd-shim-runc-v2',
  'snap/docker/*/bin/runc',
  'snap/microk8s/*/kubelite',
  'snap/microk8s/*/bin/containerd',
  'snap/microk8s/*/bin/containerd-shim-runc-v2',
  'snap/microk8s/*/bin/k8s-dqlite',
  'snap/microk8s/*/bin/runc',
  'snap/lxd/*/bin/lxd',
  'usr/lib/snapd/snapd',
  'snap/snapd/*/usr/lib/snapd/snapd',
];

/** Services that a host needs to stay reachable, and control planes that are installed as services. */
const SERVICES: readonly string[] = [
  'usr/bin/dbus-daemon',
  'usr/bin/dbus-broker',
  'usr/bin/dbus-broker-launch',
  'lib/systemd/systemd-journald',
  'lib/systemd/systemd-logind',
  'lib/systemd/systemd-machined',
  'lib/systemd/systemd-networkd',
  'lib/systemd/systemd-oomd',
  'lib/systemd/systemd-resolved',
  'lib/systemd/systemd-timesyncd',
  'lib/systemd/systemd-udevd',
  'lib/systemd/systemd-userdbd',
  'usr/lib/systemd/systemd-journald',
  'usr/lib/systemd/systemd-logind',
  'usr/lib/systemd/systemd-machined',
  'usr/lib/systemd/systemd-networkd',
  'usr/lib/systemd/systemd-oomd',
  'usr/lib/systemd/systemd-resolved',
  'usr/lib/systemd/systemd-timesyncd',
  'usr/lib/systemd/systemd-udevd',
  'usr/lib/systemd/systemd-userdbd',
  // systemd-udevd is a link to it.
  'usr/bin/udevadm',
  'usr/sbin/NetworkManager',
  'usr/bin/NetworkManager',
  'usr/sbin/wpa_supplicant',
  'usr/sbin/dhclient',
  'usr/sbin/dhcpcd',
  'usr/sbin/sshd',
  'usr/bin/etcd',
  'usr/local/bin/etcd',
  'usr/bin/kube-apiserver',
  'usr/local/bin/kube-apiserver',
  'usr/bin/kube-controller-manager',
  'usr/local/bin/kube-controller-manager',
  'usr/bin/kube-scheduler',
  'usr/local/bin/kube-scheduler',
];

/** Names of a control plane's programs in static pods, whose files are in images. */
export const CONTROL_PLANE: ReadonlySet<string> = new Set([
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
]);

/** The protected executables that exist at the moment. */
export interface ProtectedFiles {
  /** By device and inode, which identify a file whatever its path. */
  readonly byId: ReadonlyMap<string, ProtectedFile>;
  /** By path on the host: an upgrade replaces a file, and its old version runs on as `PATH (deleted)`. */
  readonly byPath: ReadonlyMap<string, ProtectedFile>;
}

export interface ProtectedFile {
  /** on the host */
  readonly path: string;
  /** From the setting, so its parent does not matter. */
  readonly isAdded: boolean;
}

/**
 * Looks the files up below `root`, which ends with a slash. Throws if one of them may exist but cannot be looked up,
 * because then no process is certain to be unprotected.
 * @param added absolute paths on the host from the setting `collector.protected`; a `*` matches one part of a path
 */
export function findProtectedFiles(root: string, added: readonly string[]): ProtectedFiles {
  const byId = new Map<string, ProtectedFile>();
  const byPath = new Map<string, ProtectedFile>();
  const add = (pattern: string, isAdded: boolean): void => {
    for (const path of expand(root, pattern)) {
      const id = fileId(root + path);
      const file = { path: `/${path}`, isAdded };
      byPath.set(file.path, file);
      if (id !== null) byId.set(id, file);
    }
  };
  for (const pattern of [...MANAGERS, ...SERVICES]) add(pattern, false);
  for (const pattern of added) add(pattern.replace(/^\/+/, ''), true);
  return { byId, byPath };
}

/** Returns the device and inode of a file, or null if it does not exist. Throws if that is not known. */
export function fileId(path: string): string | null {
  const stat = orMissing(path, () => statSync(path, { bigint: true }));
  return stat === null ? null : `${stat.dev}/${stat.ino}`;
}

/** Returns the paths that a pattern matches. A pattern without `*` is a path, whether or not it exists. */
function expand(root: string, pattern: string): string[] {
  let paths = [''];
  for (const part of pattern.split('/')) {
    if (part === '*') paths = paths.flatMap((path) => list(root + path).map((name) => join(path, name)));
    else paths = paths.map((path) => join(path, part));
  }
  return paths;
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);

function list(directory: string): string[] {
  const entries = orMissing<Dirent[]>(directory, () => readdirSync(directory, { withFileTypes: true }));
  return entries?.map(({ name }) => name) ?? [];
}

function orMissing<T>(path: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new Error(`${path} cannot be looked up, so the process may be one that is never killed`, { cause: error });
  }
}
