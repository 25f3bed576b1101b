export { bootMicros, wallOffset } from './clock.ts';
export { SystemCallError } from './errors.ts';
export {
  CHECKS,
  type CheckName,
  type ContainerDescription,
  type ContainerFact,
  type ContainerMount,
  type Finding,
  type HostFact,
  type LostCount,
  type MountFact,
  type ThrottledCount,
} from './facts.ts';
export {
  asLabels,
  asObject,
  asText,
  ifExists,
  ifReadable,
  isRemoteFilesystem,
  type Json,
  kernelDevice,
  O_PATH,
  openRegularFile,
  parseJson,
  readBounded,
  readJson,
  realPathWithin,
  takeWithin,
  writeAtomically,
} from './files.ts';
export { type CachedStat, mountOf, openBeneath, openCached, openWaiting, statCached } from './lookup.ts';
export {
  type ContextSink,
  createGuard,
  type EnrichmentSource,
  type Guard,
  guardSource,
  type OnSourceError,
} from './source.ts';
export {
  awaitTruncation,
  drainAddressChanges,
  exitNow,
  fileCapabilities,
  haveMountsChanged,
  openAddressChanges,
  openKernfsNode,
  pidfdGetfd,
  pidfdOpen,
  pidfdSignal,
  releaseFreeMemory,
  socketCookie,
  tryLock,
} from './system.ts';
