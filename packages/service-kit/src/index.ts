export { BatchError, StateEntryError } from './errors.ts';
export {
  type Failpoint,
  type Handler,
  type Partitioned,
  type PipelineMetrics,
  type PipelineOptions,
  runPipeline,
} from './pipeline.ts';
export {
  createStateDecoder,
  jsonEntries,
  type LegacyConverters,
  type LegacyEntries,
  type StateDecoder,
  type StateName,
} from './state-codec.ts';
export { type InputPosition, StateTable, type StateTableOptions } from './state-table.ts';
export { createVerifier, type Refusal, type Verifier, type VerifierOptions } from './verifier.ts';
