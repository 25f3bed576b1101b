export { type CollectorOptions, type CompiledOptions, compileOptions } from './config.ts';
export { REFUSALS, type Refusal } from './control/reasons.ts';
export {
  CollectorError,
  type CollectorErrorCode,
  SecondAgentError,
  SensorError,
  SpoolError,
  SystemCallError,
} from './errors.ts';
export type { Log } from './log.ts';
export { type Collector, type CollectorDeps, type CollectorIdentity, startCollector } from './main.ts';
export type { CollectorStats } from './metrics.ts';
export { uninstallSensor } from './sensor/sensor.ts';
