import { type ContainerContext, u64FromBigInt } from '@ringfence/wire';
import type { ContainerValues } from './host-values.ts';

/** Details that a runtime reports and these containers lack. */
const NO_DETAILS = {
  imageId: '',
  imageDigests: [],
  capabilities: null,
  mounts: [],
  namespaces: [],
  pod: '',
  podUid: '',
  namespace: '',
  serviceAccount: '',
  podLabels: {},
  startedAt: 0,
  described: true,
};

/** Returns the record of a Docker container called web-1; `values` override its fields. */
export function containerBody({ cgroup, ...values }: ContainerValues): ContainerContext {
  return {
    id: 'c0ffee',
    runtime: 'docker',
    name: 'web-1',
    image: 'nginx:1.27',
    privileged: false,
    labels: {},
    path: '/docker/c0ffee',
    ...NO_DETAILS,
    ...values,
    cgroupId: u64FromBigInt(cgroup),
  };
}
