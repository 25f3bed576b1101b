import { shortName } from './container-findings.ts';
import type { ContainerState, Finding, UsedCapabilities } from './types.ts';

/** Default capabilities of Docker and Podman that most programs need. */
const USUALLY_NEEDED: ReadonlySet<string> = new Set(
  'CHOWN DAC_OVERRIDE FSETID FOWNER SETGID SETUID SETPCAP NET_BIND_SERVICE KILL'
    .split(' ')
    .map((name) => `CAP_${name}`),
);

/**
 * Returns the flags of `docker run` to start the container with. They keep the capabilities that the container used, or
 * the usually needed ones when its use is unknown.
 */
export function startFlagsFor(
  findings: readonly Finding[],
  state: ContainerState,
  used: UsedCapabilities | null,
): string[] {
  const needed = used?.names ?? USUALLY_NEEDED;
  const flags = new Set<string>(['--cap-drop ALL']);
  for (const name of state.capabilities) if (needed.has(name)) flags.add(`--cap-add ${shortName(name)}`);
  for (const { instead } of findings) for (const flag of instead) flags.add(flag);
  return [...flags];
}

/** Lines of a securityContext by the flag of `docker run` that has the same effect. */
const CONTEXT_LINES: readonly { readonly flag: RegExp; readonly lines: readonly string[] }[] = [
  { flag: /^--read-only$/, lines: ['readOnlyRootFilesystem: true'] },
  { flag: /^--security-opt no-new-privileges$/, lines: ['allowPrivilegeEscalation: false'] },
  { flag: /^--user /, lines: ['runAsNonRoot: true', 'runAsUser: 65534'] },
];

const CAP_ADD = '--cap-add ';

/** Returns a pod's securityContext, as lines of YAML, that has the effect of `flags` and removes the findings. */
export function securityContextFor(flags: readonly string[], findings: readonly Finding[]): string[] {
  const added = flags.filter((flag) => flag.startsWith(CAP_ADD)).map((flag) => flag.slice(CAP_ADD.length));
  const ids = findings.map(({ id }) => id);
  return [
    'securityContext:',
    ...(ids.includes('privileged') ? ['  privileged: false'] : []),
    ...CONTEXT_LINES.flatMap(({ flag, lines }) =>
      flags.some((candidate) => flag.test(candidate)) ? lines.map((line) => `  ${line}`) : [],
    ),
    ...(ids.includes('seccomp') || ids.includes('privileged') ? ['  seccompProfile:', '    type: RuntimeDefault'] : []),
    '  capabilities:',
    '    drop: [ALL]',
    ...(added.length > 0 ? [`    add: [${added.join(', ')}]`] : []),
  ];
}
