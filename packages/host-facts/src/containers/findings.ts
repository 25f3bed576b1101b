import type { Finding } from '@ringfence/host-kit';

/** Characters of a path in a finding. */
const SUBJECT_MAX = 1024;
const DETAILS = {
  'container-name': 'the cgroup is named like a container, and its processes have the namespaces of the host',
  'container-unknown': 'the cgroup is named like a container, and no runtime of the host knows it',
} as const;

/** @param path of the cgroup, from the root of the hierarchy */
export const findingOf = (check: keyof typeof DETAILS, path: string): Finding => ({
  check,
  subject: path.slice(0, SUBJECT_MAX),
  detail: DETAILS[check],
});
