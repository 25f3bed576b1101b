export type { KindAccount } from './account/counters.ts';
export type { Eviction, HelperFailure } from './account/failures.ts';
export { SkippedCalls, type SkippedProgram, totalSkipped } from './account/skipped-calls.ts';
export { ThrottledSource } from './account/throttled-source.ts';
export type { OnDemandHooks } from './attach/on-demand-hooks.ts';
export { findProbedFiles, type ProbeOptions } from './attach/user-space-probes.ts';
export { checkProbes, type ProbeCheck } from './custom-probes/check.ts';
export { CustomProbes, type ProbeStatus } from './custom-probes/custom-probes.ts';
export { readProbeFiles } from './custom-probes/file.ts';
export { type TracepointField, tracepointFields, usualType } from './custom-probes/format.ts';
export { SensorError } from './errors.ts';
export type { ByteShare, ControlBlock, Shares } from './filter/control-block.ts';
export { type FileKey, type FileTable, hasGeneration, type WatchedFile } from './filter/file-table.ts';
export type { SensorFilter } from './filter/sensor-filter.ts';
export { USUAL_VARIABLES } from './filter/usual-variables.ts';
export { headsOf, unnamedOf, unwatchedOf } from './filter/watched-hashes.ts';
export type { WatchedTexts } from './filter/watched-texts.ts';
export { hookOf } from './load/attach-methods.ts';
export { FullProfile } from './load/full-profile.ts';
export { sizeForCpus } from './load/map-sizes.ts';
export { isResumable, openSensor } from './open-sensor.ts';
export type { SensorOptions } from './options.ts';
export { makePinDirectory, removeLinks } from './pins/directory.ts';
export { lockDirectory } from './pins/lock.ts';
export { isPinned, linkPath, pinnedLinks, pinnedPrograms, ringPath } from './pins/paths.ts';
export { RunState } from './pins/run-state.ts';
export type { CgroupCreation } from './processes/cgroup-maps.ts';
export { type Doom, type DoomSet, Dooms, type Victim } from './processes/dooms.ts';
export { procRecord } from './processes/proc-record.ts';
export {
  factsAt,
  namespacesAt,
  type ProcessFacts,
  type ProcessNamespaces,
  parseSnapshot,
  readProcesses,
  type Snapshot,
} from './processes/snapshot.ts';
export { isProbe, READ_KERNEL, SNAPSHOT, SOCKETS } from './programs.ts';
export { LaneReader } from './records/lane-reader.ts';
export { Merge, type OnCgroup, type OnExec } from './records/merge.ts';
export { type EventSink, type RecordSource, transcodeAt } from './records/transcode.ts';
export type { Sensor } from './sensor.ts';
export { markSensor, pastTampering, unmarkSensor } from './tampering/past-tampering.ts';
