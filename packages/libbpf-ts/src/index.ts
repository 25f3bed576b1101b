export { Btf } from './btf/btf.ts';
export type { BtfValue, Codec } from './btf/codec.ts';
export { codecFor } from './btf/codec.ts';
export { type EmitRecordsOptions, emitRecords } from './btf/emit-records.ts';
export { emitSkeleton } from './btf/emit-skeleton.ts';
export { type MapTypes, mapTypes } from './btf/maps.ts';
export type {
  BtfComposite,
  BtfEnumerator,
  BtfKind,
  BtfMember,
  BtfOf,
  BtfSectionVariable,
  BtfType,
} from './btf/types.ts';
export {
  BpfError,
  type BpfErrorCode,
  type BpfErrorDetails as BpfErrorFacts,
  BpfLoadError,
  bpfErrorCodes,
} from './errors.ts';
export { GlobalSection, type GlobalVariable } from './globals.ts';
export { loadedPrograms, type MapInfo, type ProgramInfo } from './info.ts';
export { BpfIterator } from './iterator.ts';
export { kernelNames } from './kernel-types.ts';
export { BpfLink } from './link.ts';
export { BpfMap, type CreateMapOptions, type UpdateMode } from './map.ts';
export type { Batch } from './map-batch.ts';
export { MapDefinition } from './map-definition.ts';
export { libbpfVersion, possibleCpus } from './native/library.ts';
export { type Logger, type LogLevel, setLogger } from './native/log.ts';
export { Mapping } from './native/mapping.ts';
export { type AnySkeleton, BpfObject, type OpenOptions, type Skeleton } from './object.ts';
export { isBpfFileSystem } from './pin.ts';
export { PinnedProgram } from './pinned-program.ts';
export { BpfProgram, type IteratorOptions, type UprobeOptions, type UsdtOptions } from './program.ts';
export type { RunInput, RunResult } from './program-run.ts';
export { RingBuffer, type RingOptions } from './ring-buffer.ts';
export type { PollOptions } from './ring-poll.ts';
export { type RingMark, RingReader } from './ring-reader.ts';
export { type EmbeddedObject, objectFromSkeleton } from './skeleton-header.ts';
