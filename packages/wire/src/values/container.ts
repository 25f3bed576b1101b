/** Details of a container that only its runtime knows, as they are when the runtime has not described the container. */
export const NO_CONTAINER_DETAILS = {
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
} as const;
