export type { EventAccount, LaneFlow } from './account.ts';
export { type CollectorOptions, type CompiledOptions, compileOptions } from './config.ts';
export { CHECKS, type Finding } from './context/facts.ts';
export { type FoundContainer, findContainers } from './context/find-container.ts';
export { AgentControl } from './control/control.ts';
export { ExecutedCommands } from './control/executed.ts';
export { RateLimit } from './control/rate-limit.ts';
export { REFUSALS, type Refusal } from './control/reasons.ts';
export { checkProbes, type ProbeCheck } from './custom-probes/check.ts';
export type { ProbeStatus } from './custom-probes/custom-probes.ts';
export { readProbeFiles } from './custom-probes/file.ts';
export { type TracepointField, tracepointFields, usualType } from './custom-probes/format.ts';
export { CollectorError, type CollectorErrorCode, SpoolError } from './errors.ts';
export { type Baseline, readBaseline, writeBaseline } from './fim/baseline.ts';
export { type Change, compare } from './fim/compare.ts';
export { type FileFacts, pathOf, scan } from './fim/scan.ts';
export type { CheckResult, Remembered } from './integrity/check.ts';
export { checkIntegrity } from './integrity/integrity.ts';
export { type InventoryOptions, readInventory } from './inventory/inventory.ts';
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
export { LogReader } from './logs/reader.ts';
export { type Collector, type CollectorDeps, type CollectorIdentity, startCollector } from './main.ts';
export type { CollectorStats } from './metrics.ts';
export type { KindAccount } from './sensor/counters.ts';
export { SecondAgentError, SensorError } from './sensor/errors.ts';
export { FullProfile } from './sensor/full.ts';
export { isProbe, probePlaces } from './sensor/probes.ts';
export { uninstallSensor } from './sensor/sensor.ts';
export type { Tally } from './spool/segment.ts';
export { Spool } from './spool/spool.ts';
export type { Finished } from './steps/batch.ts';
export { Delivery } from './steps/deliver.ts';
export { SystemCallError } from './system-error.ts';
