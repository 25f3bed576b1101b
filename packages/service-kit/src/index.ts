export {
  type Failpoint,
  type Handler,
  type Partitioned,
  type PipelineMetrics,
  type PipelineOptions,
  runPipeline,
} from './pipeline.ts';
export { StateTable } from './state-table.ts';
