import { join } from 'node:path';
import { asObject, asText, type ContainerDescription, type Json, readJson } from '@ringfence/host-kit';
import { EMPTY_DESCRIPTION, type HostRoots, microsOf } from './description.ts';
import { asList, describeSpec } from './oci.ts';

/** Default directories of runc's and crun's state. */
export const STATES: readonly string[] = ['run/runc', 'run/crun'];

/**
 * Describes a container from the state of its OCI runtime. The state points to the bundle, whose config.json is the
 * specification.
 */
export function describeRunc(id: string, roots: HostRoots): ContainerDescription | null {
  return runcState(id, roots)?.description ?? null;
}

export interface RuncState {
  readonly runtime: 'runc' | 'crun';
  readonly description: ContainerDescription;
  /** path from the root of the v2 hierarchy */
  readonly cgroup: string;
}

export function runcState(id: string, roots: HostRoots): RuncState | null {
  const { root } = roots;
  for (const directory of STATES) {
    const path = join(root, directory, id);
    const state = asObject(readJson(`${path}/state.json`) ?? readJson(`${path}/status`));
    if (Object.keys(state).length === 0) continue;
    const bundle = bundleOf(state);
    const spec = bundle === '' ? null : describeSpec(asObject(readJson(join(root, bundle, 'config.json'))), root);
    const description = { ...(spec ?? EMPTY_DESCRIPTION), startedAt: microsOf(asText(state['created'])) };
    return { runtime: directory === 'run/crun' ? 'crun' : 'runc', description, cgroup: cgroupOf(state) };
  }
  return null;
}

/** runc stores the bundle among the labels of its configuration, crun in a member. */
function bundleOf(state: Json): string {
  const labels = asList(asObject(state['config'])['labels']).map((label) => asText(label, 4200));
  const label = labels.find((text) => text.startsWith('bundle='));
  return label?.slice('bundle='.length) ?? asText(state['bundle'], 4096);
}

/** runc stores a path for each hierarchy, under '' for v2; crun stores one path for all. */
function cgroupOf(state: Json): string {
  const crun = asText(state['cgroup-path'], 4096);
  if (crun !== '') return crun.startsWith('/') ? crun : `/${crun}`;
  return asText(asObject(state['cgroup_paths'])[''], 4096).replace(/^\/sys\/fs\/cgroup(?:\/unified(?=\/))?/, '');
}
