import { join } from 'node:path';
import {
  asLabels,
  asObject,
  asText,
  type ContainerDescription,
  type ContainerMount,
  ifReadable,
  type Json,
  parseJson,
  readBounded,
} from '@ringfence/host-kit';

/** Labels of kubelet (Docker, CRI-O), and annotations of containerd. */
const POD = ['io.kubernetes.pod.name', 'io.kubernetes.cri.sandbox-name', 'io.kubernetes.cri-o.KubeName'];
const NAMESPACE = [
  'io.kubernetes.pod.namespace',
  'io.kubernetes.cri.sandbox-namespace',
  'io.kubernetes.cri-o.Namespace',
];
const UID = ['io.kubernetes.pod.uid', 'io.kubernetes.cri.sandbox-uid'];
const TOKEN_AT = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_MAX = 64 * 1024;
/** Kubelet's own volumes with tokens. Of any other volume the author of the pod chooses the file system. */
const TOKEN_VOLUME = /\/pods\/[^/]+\/volumes\/kubernetes\.io~(?:projected|secret)\/[^/]+$/;

const LABELS_MAX = 256 * 1024;

/**
 * Returns what kubelet and the runtime wrote about the pod; empty outside of Kubernetes.
 * @param labels all labels of the container, not limited in number
 */
export function podOf(
  labels: Json,
  mounts: readonly ContainerMount[],
  root: string,
): Pick<ContainerDescription, 'pod' | 'podUid' | 'namespace' | 'serviceAccount' | 'podLabels'> {
  const pod = firstText(labels, POD);
  return {
    pod,
    podUid: firstText(labels, UID),
    namespace: firstText(labels, NAMESPACE),
    serviceAccount: pod === '' ? '' : serviceAccountOf(mounts, root),
    podLabels: asLabels(parseJson(asText(labels['io.kubernetes.cri-o.Labels'], LABELS_MAX))),
  };
}

/**
 * Reads the service account from the token that kubelet mounts, because no runtime writes it down. Uses and keeps
 * nothing else of the token.
 */
function serviceAccountOf(mounts: readonly ContainerMount[], root: string): string {
  const mount = mounts.find(({ destination }) => destination.replace(/^\/run\//, '/var/run/') === TOKEN_AT);
  if (mount === undefined || !TOKEN_VOLUME.test(mount.source)) return '';
  const token = ifReadable(() => readBounded(join(root, mount.source, 'token'), TOKEN_MAX))?.toString('latin1') ?? '';
  const claims = asObject(parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
  const account = asObject(asObject(claims['kubernetes.io'])['serviceaccount']) as Json;
  return asText(account['name'], 253) || asText(claims['kubernetes.io/serviceaccount/service-account.name'], 253);
}

/** Returns the value of the first key that has one. */
export const firstText = (from: Json, keys: readonly string[]): string =>
  keys.map((key) => asText(from[key])).find((text) => text !== '') ?? '';
