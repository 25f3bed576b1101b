export { containerByHand } from './context/by-hand.ts';
export { Cgroups } from './context/cgroups.ts';
export { ContainerSource } from './context/containers.ts';
export { NOTHING } from './context/description.ts';
export { findContainers } from './context/find-container.ts';
export { hostSources } from './context/host-sources.ts';
export { matchRuntime } from './context/runtimes.ts';
export { readBaseline, writeBaseline } from './fim/baseline.ts';
export { type Change, compare } from './fim/compare.ts';
export { pathOf, scan } from './fim/scan.ts';
export { ExecHashes, type HashStats } from './hash/exec-hashes.ts';
export type { HashFact, HashLimits, HashSink } from './hash/types.ts';
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
