import type { Finding } from './types.ts';

/** Of a container's securityContext, by the flag of docker run that means the same. */
const FIELDS: readonly { readonly flag: RegExp; readonly lines: readonly string[] }[] = [
  { flag: /^--read-only$/, lines: ['readOnlyRootFilesystem: true'] },
  { flag: /^--security-opt no-new-privileges$/, lines: ['allowPrivilegeEscalation: false'] },
  { flag: /^--user /, lines: ['runAsNonRoot: true', 'runAsUser: 65534'] },
];

/** The same in a pod's words. */
export function securityContext(flags: readonly string[], findings: readonly Finding[]): string[] {
  const added = flags.filter((flag) => flag.startsWith('--cap-add ')).map((flag) => flag.slice('--cap-add '.length));
  const ids = findings.map(({ id }) => id);
  return [
    'securityContext:',
    ...(ids.includes('privileged') ? ['  privileged: false'] : []),
    ...FIELDS.flatMap(({ flag, lines }) =>
      flags.some((one) => flag.test(one)) ? lines.map((line) => `  ${line}`) : [],
    ),
    ...(ids.includes('seccomp') || ids.includes('privileged') ? ['  seccompProfile:', '    type: RuntimeDefault'] : []),
    '  capabilities:',
    '    drop: [ALL]',
    ...(added.length > 0 ? [`    add: [${added.join(', ')}]`] : []),
  ];
}
