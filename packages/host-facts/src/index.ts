export { Cgroups } from './containers/cgroups.ts';
export { ContainerSource } from './containers/container-source.ts';
export { findContainers } from './containers/find-containers.ts';
export { findUnmanagedContainer } from './containers/unmanaged.ts';
export { readBaseline, writeBaseline } from './fim/baseline.ts';
export { type Change, compare } from './fim/compare.ts';
export { pathOf, scan } from './fim/scan.ts';
export { ExecHashes, type HashStats } from './hash/exec-hashes.ts';
export type { HashFact, HashLimits, HashSink } from './hash/types.ts';
export { HostFiles } from './host/host-files.ts';
export { hostSources } from './host/host-sources.ts';
export { namedFiles } from './host/named-files.ts';
export type { CheckResult, Remembered } from './integrity/check.ts';
export { checkIntegrity, type Integrity } from './integrity/integrity.ts';
export { integritySource } from './integrity/source.ts';
export { readInventory } from './inventory/inventory.ts';
export type {
  End,
  Inventory,
  InventoryContainer,
  InventoryMount,
  InventoryProcess,
  MountNamespace,
  OpenSocket,
} from './inventory/types.ts';
export { type CapabilityUse, readCapabilityUse } from './inventory/used-capabilities.ts';
export { EMPTY_DESCRIPTION } from './runtimes/description.ts';
export { matchRuntime } from './runtimes/runtimes.ts';
