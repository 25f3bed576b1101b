import type { Finding, MountedPath, Severity } from './types.ts';

interface Sensitive {
  readonly path: RegExp;
  readonly severity: Severity;
  /** read-only it is less: '' when it makes no difference */
  readonly readOnly: Severity | '';
  readonly why: string;
}

/** Most telling first; a mount is told by the first that fits. */
const SENSITIVE: readonly Sensitive[] = [
  {
    path: /\/(?:docker|containerd|crio|podman|cri-dockerd)\.sock$/,
    severity: 'critical',
    readOnly: '',
    why: 'whoever can talk to the engine starts a container with everything, and is root on the host; read-only changes nothing',
  },
  {
    path: /^\/$/,
    severity: 'critical',
    readOnly: 'high',
    why: 'the whole host: writing there makes cron jobs, keys and programs of root; reading there gives its secrets',
  },
  {
    path: /^\/(?:run|var\/run|run\/containerd|run\/docker|run\/crio|run\/podman)$/,
    severity: 'critical',
    readOnly: 'critical',
    why: 'it has the sockets of the engines, and of all else that root listens on',
  },
  {
    path: /^\/(?:etc|root|boot|home|usr|bin|sbin|lib|lib64|var|opt)$/,
    severity: 'critical',
    readOnly: 'high',
    why: "programs, keys or settings of the host's root are below it",
  },
  {
    path: /^\/(?:etc\/(?:shadow|sudoers|cron|ssh|pam|systemd|kubernetes|ld\.so)|root\/\.ssh|var\/spool\/cron)/,
    severity: 'critical',
    readOnly: 'high',
    why: 'whoever writes there logs in, or runs programs, as root of the host',
  },
  {
    path: /^\/proc(?:$|\/sys|\/1$|\/sysrq)/,
    severity: 'critical',
    readOnly: 'high',
    why: "the host's processes and settings: core_pattern alone runs a program as root of the host",
  },
  {
    path: /^\/sys(?:$|\/fs\/cgroup|\/kernel|\/firmware)/,
    severity: 'high',
    readOnly: 'low',
    why: 'devices and cgroups of the host: a release_agent or uevent_helper runs a program as root of the host',
  },
  {
    path: /^\/dev(?:$|\/(?:sd|vd|nvme|xvd|dm-|mapper|mem|kmem|kvm))/,
    severity: 'critical',
    readOnly: 'high',
    why: "disks and memory of the host: files are read and written around the file system's permissions",
  },
  {
    path: /^\/var\/lib\/(?:docker|containers|containerd|kubelet|etcd|crio)(?:$|\/(?!.*(?:volumes|volume-subpaths|\/(?:resolv\.conf|hostname|hosts)$|etc-hosts|termination-log|containers\/[^/]+\/)))/,
    severity: 'critical',
    readOnly: 'high',
    why: 'files, secrets and tokens of all other containers',
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
    why: 'traces can be removed, and a symbolic link that a log collector follows gives it other files',
  },
];

/** What an engine mounts into every container. */
const EVERYWHERE = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/dev/shm', '/dev/termination-log'];
/** Of files that a distribution's packages mount read-only on purpose. */
const HARMLESS = /^\/etc\/(?:localtime|timezone|ssl\/certs|ca-certificates|pki|os-release)(?:$|\/)/;

export function mountFindings(mounts: readonly MountedPath[]): Finding[] {
  return mounts.flatMap((mount) => {
    const { source, destination, readonly } = mount;
    if (EVERYWHERE.includes(destination) || HARMLESS.test(source)) return [];
    const kind = SENSITIVE.find(({ path }) => path.test(source));
    if (kind === undefined) return [];
    const severity = readonly && kind.readOnly !== '' ? kind.readOnly : kind.severity;
    return [
      {
        id: 'mount',
        severity,
        what: `${source} of the host is at ${destination}, ${readonly ? 'read-only' : 'writable'}`,
        why: kind.why,
        instead: readonly || kind.readOnly === '' ? [] : [`--volume ${source}:${destination}:ro`],
      },
    ];
  });
}
