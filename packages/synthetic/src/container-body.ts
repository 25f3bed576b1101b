import { type ContainerContext, NO_CONTAINER_DETAILS, u64FromBigInt } from '@ringfence/wire';
import type { ContainerValues } from './host-values.ts';

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
    ...NO_CONTAINER_DETAILS,
    described: true,
    ...values,
    cgroupId: u64FromBigInt(cgroup),
  };
}
