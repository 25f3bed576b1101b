import { join } from 'node:path';
import type { ContainerMount, ContainerDescription } from '@ringfence/host-kit';
import { asLabels, asObject, asText, ifReadable, type Json, parseJson, readBounded } from '@ringfence/host-kit';

/** Kubelet's own labels (Docker, CRI-O), and the annotations of containerd. */
const POD = ['io.kubernetes.pod.name', 'io.kubernetes.cri.sandbox-name', 'io.kubernetes.cri-o.KubeName'];
const NAMESPACE = [
  'io.kubernetes.pod.namespace',
  'io.kubernetes.cri.sandbox-namespace',
  'io.kubernetes.cri-o.Namespace',
];
const UID = ['io.kubernetes.pod.uid', 'io.kubernetes.cri.sandbox-uid'];
const TOKEN_AT = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_MAX = 64 * 1024;

const LABELS_MAX = 256 * 1024;

/** What kubelet and the runtime say about the pod. Empty outside of Kubernetes. `labels`: all of them, as they were written. */
export function podOf(
  labels: Json,
  mounts: readonly ContainerMount[],
  root: string,
): Pick<ContainerDescription, 'pod' | 'podUid' | 'namespace' | 'serviceAccount' | 'podLabels'> {
  const pod = first(labels, POD);
  return {
    pod,
    podUid: first(labels, UID),
    namespace: first(labels, NAMESPACE),
    serviceAccount: pod === '' ? '' : serviceAccountOf(mounts, root),
    podLabels: asLabels(parseJson(asText(labels['io.kubernetes.cri-o.Labels'], LABELS_MAX))),
  };
}

/** No runtime writes it down; the token that kubelet has mounted says whose it is. Nothing else of the token is looked at or kept. */
function serviceAccountOf(mounts: readonly ContainerMount[], root: string): string {
  const mount = mounts.find(({ destination }) => destination.replace(/^\/run\//, '/var/run/') === TOKEN_AT);
  if (mount === undefined) return '';
  const token = ifReadable(() => readBounded(join(root, mount.source, 'token'), TOKEN_MAX))?.toString('latin1') ?? '';
  const claims = asObject(parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
  const account = asObject(asObject(claims['kubernetes.io'])['serviceaccount']) as Json;
  return asText(account['name'], 253) || asText(claims['kubernetes.io/serviceaccount/service-account.name'], 253);
}

/** The first of these that says anything. */
export const first = (from: Json, keys: readonly string[]): string =>
  keys.map((key) => asText(from[key])).find((text) => text !== '') ?? '';
