import type { Finding, MountedPath, Severity } from './types.ts';

/** Paths of the host that a container should not have. */
interface SensitivePath {
  readonly path: RegExp;
  readonly severity: Severity;
  /** Severity of a read-only mount; '' when read-only makes no difference. */
  readonly readOnly: Severity | '';
  readonly why: string;
}

/** Most specific first; the first match wins. */
const SENSITIVE: readonly SensitivePath[] = [
  {
    path: /\/(?:docker|containerd|crio|podman|cri-dockerd)\.sock$/,
    severity: 'critical',
    readOnly: '',
    why: 'a user of the container engine can start a privileged container, which is root on the host; read-only changes nothing',
  },
  {
    path: /^\/$/,
    severity: 'critical',
    readOnly: 'high',
    why: 'the whole host: write access allows cron jobs, keys and programs of root, read access reveals all secrets',
  },
  {
    path: /^\/(?:run|var\/run|run\/containerd|run\/docker|run\/crio|run\/podman)$/,
    severity: 'critical',
    readOnly: 'critical',
    why: 'it contains the sockets of container engines and of other services of root',
  },
  {
    path: /^\/(?:etc|root|boot|home|usr|bin|sbin|lib|lib64|var|opt)$/,
    severity: 'critical',
    readOnly: 'high',
    why: "it contains programs, keys or settings of the host's root",
  },
  {
    path: /^\/(?:etc\/(?:shadow|sudoers|cron|ssh|pam|systemd|kubernetes|ld\.so)|root\/\.ssh|var\/spool\/cron)/,
    severity: 'critical',
    readOnly: 'high',
    why: 'write access allows to log in, or to run programs, as root of the host',
  },
  {
    path: /^\/proc(?:$|\/sys|\/1$|\/sysrq)/,
    severity: 'critical',
    readOnly: 'high',
    why: 'processes and kernel settings of the host: core_pattern alone can run a program as root of the host',
  },
  {
    path: /^\/sys(?:$|\/fs\/cgroup|\/kernel|\/firmware)/,
    severity: 'high',
    readOnly: 'low',
    why: 'devices and cgroups of the host: a release_agent or uevent_helper can run a program as root of the host',
  },
  {
    path: /^\/dev(?:$|\/(?:sd|vd|nvme|xvd|dm-|mapper|mem|kmem|kvm))/,
    severity: 'critical',
    readOnly: 'high',
    why: 'disks and memory of the host: files can be read and written without any permission',
  },
  {
    path: /^\/var\/lib\/(?:docker|containers|containerd|kubelet|etcd|crio)(?:$|\/(?!.*(?:volumes|volume-subpaths|\/(?:resolv\.conf|hostname|hosts)$|etc-hosts|termination-log|containers\/[^/]+\/)))/,
    severity: 'critical',
    readOnly: 'high',
    why: 'files, secrets and tokens of all containers',
  },
  {
    path: /^\/lib\/modules|^\/usr\/(?:bin|sbin|lib|local)|^\/(?:bin|sbin|lib|lib64)\//,
    severity: 'high',
    readOnly: 'low',
    why: 'programs or modules that root of the host runs',
  },
  {
    path: /^\/(?:etc|root)\//,
    severity: 'medium',
    readOnly: 'low',
    why: 'settings of the host',
  },
  {
    path: /^\/var\/log(?:$|\/)/,
    severity: 'medium',
    readOnly: 'low',
    why: 'traces can be removed, and a symbolic link can make a log collector read other files',
  },
];

/** Mounted into every container by its engine. */
const ENGINE_MOUNTS = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/dev/shm', '/dev/termination-log'];
/** Files that images commonly mount from the host on purpose, without secrets in them. */
const HARMLESS = /^\/etc\/(?:localtime|timezone|ssl\/certs|ca-certificates|pki|os-release)(?:$|\/)/;

export function mountFindings(mounts: readonly MountedPath[]): Finding[] {
  return mounts.flatMap((mount) => {
    const { source, destination, readonly } = mount;
    if (ENGINE_MOUNTS.includes(destination) || HARMLESS.test(source)) return [];
    const sensitive = SENSITIVE.find(({ path }) => path.test(source));
    if (sensitive === undefined) return [];
    const severity = readonly && sensitive.readOnly !== '' ? sensitive.readOnly : sensitive.severity;
    return [
      {
        id: 'mount',
        severity,
        what: `${source} of the host is at ${destination}, ${readonly ? 'read-only' : 'writable'}`,
        why: sensitive.why,
        instead: readonly || sensitive.readOnly === '' ? [] : [`--volume ${source}:${destination}:ro`],
      },
    ];
  });
}
