import type { InventoryContainer } from '@ringfence/host-facts';
import { NO_CONTAINER_DETAILS } from '@ringfence/wire';
import type { ContainerState } from '../src/types.ts';

/** Capabilities that Docker and Podman grant by default. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SYS_CHROOT',
  'MKNOD',
  'AUDIT_WRITE',
  'SETFCAP',
].map((name) => `CAP_${name}`);

export function createTestContainer(values: Partial<InventoryContainer> = {}): InventoryContainer {
  return {
    ...NO_CONTAINER_DETAILS,
    labels: {},
    id: 'c0ffee',
    name: 'web-1',
    runtime: 'docker',
    image: 'nginx:1.27',
    privileged: false,
    cgroup: '/docker/c0ffee',
    pids: [7],
    ...values,
  };
}

/** Returns the state of a container without findings. */
export function createTestState(values: Partial<ContainerState> = {}): ContainerState {
  return {
    pid: 7,
    capabilities: ['CAP_NET_BIND_SERVICE'],
    noNewPrivileges: true,
    seccomp: true,
    confinement: 'docker-default (enforce)',
    euid: 1000,
    hostUsers: true,
    hostNamespaces: [],
    readOnlyRoot: true,
    procWritable: false,
    mounts: [],
    ...values,
  };
}
