/** Internals of the sensor for tests and benches of other folders. */
export { Counters, DROP_CAUSES, type DropCause } from './account/counters.ts';
export { SensorFailures } from './account/failures.ts';
export { setProbes } from './attach/user-space-probes.ts';
export { SecondAgentError } from './errors.ts';
export { type FileMaps, FileTable, identifyFiles, parseIdentities } from './filter/file-table.ts';
export { openFilter } from './filter/sensor-filter.ts';
export { nameKey, prefixKey, WatchedTexts } from './filter/watched-texts.ts';
export { type AttachMethod, attachMethods, hookFinder } from './load/attach-methods.ts';
export { setFullProfile, UNIX_SENT } from './load/full-profile.ts';
export { loadObject } from './load/load-object.ts';
export { loadRefusals, REFUSED } from './load/refusals.ts';
export { traceFunctions } from './load/system-calls.ts';
export { uninstallSensor } from './pins/directory.ts';
export { pinnedHooks, programOfLink } from './pins/paths.ts';
export { CUSTOM_PROGRAMS, STAND_INS } from './programs.ts';
export { transcode } from './records/transcode.ts';
