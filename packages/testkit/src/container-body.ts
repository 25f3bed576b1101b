import { type ContainerContext, u64FromBigInt } from '@ringfence/wire';
import type { ContainerValues } from './host-values.ts';

/** Of a container of which no more is known than its name. */
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

/** A container of Docker's, but for what the values say. */
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
