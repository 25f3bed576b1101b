import { join } from 'node:path';
import type { ContainerDescription } from '@ringfence/host-kit';
import { asObject, asText, type Json, readJson } from '@ringfence/host-kit';
import { type HostPlaces, microsOf, NOTHING } from './description.ts';
import { describeSpec, list } from './oci.ts';

/** Where runc and crun keep the state of what they run, when nobody says otherwise. */
const STATES = ['run/runc', 'run/crun'];

/** An OCI runtime's own state. It points at the bundle, whose config.json is the specification. */
export function describeRunc(id: string, places: HostPlaces): ContainerDescription | null {
  return runcState(id, places)?.description ?? null;
}

export interface RuncState {
  readonly runtime: 'runc' | 'crun';
  readonly description: ContainerDescription;
  /** from the root of the v2 hierarchy */
  readonly cgroup: string;
}

export function runcState(id: string, places: HostPlaces): RuncState | null {
  const { root } = places;
  for (const directory of STATES) {
    const own = join(root, directory, id);
    const state = asObject(readJson(`${own}/state.json`) ?? readJson(`${own}/status`));
    if (Object.keys(state).length === 0) continue;
    const bundle = bundleOf(state);
    const spec = bundle === '' ? null : describeSpec(asObject(readJson(join(root, bundle, 'config.json'))), root);
    const description = { ...(spec ?? NOTHING), startedAt: microsOf(asText(state['created'])) };
    return { runtime: directory === 'run/crun' ? 'crun' : 'runc', description, cgroup: cgroupOf(state) };
  }
  return null;
}

/** runc keeps it among the labels of its configuration, crun by name. */
function bundleOf(state: Json): string {
  const labels = list(asObject(state['config'])['labels']).map((label) => asText(label, 4200));
  const label = labels.find((text) => text.startsWith('bundle='));
  return label?.slice('bundle='.length) ?? asText(state['bundle'], 4096);
}

/** runc: that of the v2 hierarchy has no name; crun: one for all. */
function cgroupOf(state: Json): string {
  const crun = asText(state['cgroup-path'], 4096);
  if (crun !== '') return crun.startsWith('/') ? crun : `/${crun}`;
  return asText(asObject(state['cgroup_paths'])[''], 4096).replace(/^\/sys\/fs\/cgroup(?:\/unified(?=\/))?/, '');
}
