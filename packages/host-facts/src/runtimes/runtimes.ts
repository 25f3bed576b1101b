import type { ContainerDescription } from '@ringfence/host-kit';
import { describeContainerd } from './containerd.ts';
import type { HostRoots } from './description.ts';
import { describeDocker } from './docker.ts';
import { describePodman } from './podman.ts';

/** How to recognize a runtime's containers by their cgroup paths, and how to describe them. */
export interface Runtime {
  readonly name: string;
  /** matched against each component of the path; the first group is the container's id */
  readonly component: RegExp;
  /** matched against the whole path as well, if the component alone is ambiguous */
  readonly path?: RegExp;
  /** the runtime writes no description that could be read */
  readonly silent?: boolean;
  describe(id: string, roots: HostRoots): ContainerDescription | null;
}

const HEX = '([0-9a-f]{64})';

/** Tried in this order. */
export const runtimes: readonly Runtime[] = [
  { name: 'docker', component: new RegExp(`^docker-${HEX}\\.scope$`), describe: describeMoby },
  { name: 'docker', component: new RegExp(`^${HEX}$`), path: /\/docker\//, describe: describeMoby },
  { name: 'containerd', component: new RegExp(`^cri-containerd-${HEX}\\.scope$`), describe: describeContainerd },
  { name: 'containerd', component: new RegExp(`^nerdctl-${HEX}\\.scope$`), describe: describeContainerd },
  { name: 'containerd', component: new RegExp(`(?:^|:)cri-containerd:${HEX}$`), describe: describeContainerd },
  { name: 'cri-o', component: new RegExp(`^crio-${HEX}(?:\\.scope)?$`), describe: describePodman },
  { name: 'podman', component: new RegExp(`^libpod-${HEX}(?:\\.scope)?$`), describe: describePodman },
  { name: 'kubernetes', component: new RegExp(`^${HEX}$`), path: /\/kubepods/, describe: describeKubernetes },
  { name: 'lxc', component: /^lxc\.payload\.([\w.-]{1,128})$/, silent: true, describe: () => null },
  { name: 'lxc', component: /^([\w.-]{1,128})$/, path: /^\/lxc\//, silent: true, describe: () => null },
  {
    name: 'systemd-nspawn',
    component: /^systemd-nspawn@([\w.\\-]{1,128})\.service$/,
    silent: true,
    describe: () => null,
  },
  {
    name: 'systemd-nspawn',
    component: /^machine-([\w.\\-]{1,128})\.scope$/,
    path: /^\/machine\.slice\//,
    silent: true,
    describe: () => null,
  },
  { name: 'containerd', component: new RegExp(`^${HEX}$`), describe: describeContainerd },
];

export interface Match {
  readonly runtime: Runtime;
  readonly id: string;
  /** path of the container's outermost cgroup */
  readonly cgroup: string;
}

/** Returns the outermost container in a cgroup path. */
export function matchRuntime(path: string): Match | null {
  const components = path.split('/');
  for (const [index, component] of components.entries()) {
    for (const runtime of component === '' ? [] : runtimes) {
      const id = runtime.component.exec(component)?.[1];
      if (id === undefined || !(runtime.path?.test(path) ?? true)) continue;
      if (runtime.name === 'lxc' && component === 'lxc') continue;
      return { runtime, id, cgroup: components.slice(0, index + 1).join('/') };
    }
  }
  return null;
}

/** An engine may keep its files where its command line says; its containerd has the bundle. */
function describeMoby(id: string, roots: HostRoots): ContainerDescription | null {
  return describeDocker(id, roots) ?? describeContainerd(id, roots);
}

function describeKubernetes(id: string, roots: HostRoots): ContainerDescription | null {
  return describeContainerd(id, roots) ?? describePodman(id, roots) ?? describeDocker(id, roots);
}
