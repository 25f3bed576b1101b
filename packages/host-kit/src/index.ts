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
  type DirectoryEntry,
  descriptorPath,
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  fileHandle,
  linkDescriptor,
  openFileHandle,
  RENAME,
  readAttributes,
  readFileFlags,
  readGeneration,
  removeAttribute,
  renameEntry,
  setAttribute,
  setFileFlags,
  setFileTimes,
  tryRecordLock,
} from './file-calls.ts';
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
export { dieWithParent, enterNamespace, limitCpuSeconds } from './helper-process.ts';
export {
  type CachedStat,
  mountOf,
  openBeneath,
  openBeneathOrThrow,
  openCached,
  openFollowingLinks,
  openWaiting,
  statCached,
} from './lookup.ts';
export { type Packet, PacketSocket } from './packet-socket.ts';
export {
  type ContextSink,
  createGuard,
  type EnrichmentSource,
  type Guard,
  guardSource,
  type OnSourceError,
} from './source.ts';
export { type EntryStat, nextData, statAt } from './stat-at.ts';
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
