export { bootMicros, wallOffset } from './clock.ts';
export {
  CHECKS,
  type CheckName,
  type ContainerFact,
  type ContainerMount,
  type Description,
  type Finding,
  type HostFact,
  type MountFact,
  type ThrottledCount,
} from './facts.ts';
export {
  asLabels,
  asObject,
  asText,
  firstOf,
  ifReadable,
  ifThere,
  type Json,
  kernelDevice,
  O_PATH,
  openFile,
  parseJson,
  readBounded,
  readJson,
  realPathWithin,
  writeAtomically,
} from './files.ts';
export {
  type ContextSink,
  type EnrichmentSource,
  type Guard,
  guardOf,
  guardSource,
  type OnSourceError,
} from './source.ts';
export {
  awaitTruncation,
  fileCapabilities,
  mountsChanged,
  openAddressChanges,
  openBeneath,
  openKernfsNode,
  pidfdOpen,
  pidfdSignal,
  releaseFreeMemory,
  tookChanges,
  tryLock,
} from './system.ts';
export { SystemCallError } from './system-error.ts';
