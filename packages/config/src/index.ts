export type { Config, KafkaSettings, ServiceName, TopicName, TopicRetention } from './config.ts';
export { configDocs } from './docs.ts';
export { ConfigError, type ConfigProblem } from './errors.ts';
export { readSettingsFile } from './file.ts';
export { NAMED_FLAGS, type NamedFlag, parseSet } from './flags.ts';
export {
  HOME,
  rulePaths,
  SENSOR_OBJECT,
  sensorObject,
  sensorStateDirOf,
  socketOf,
  TRACER_OBJECT,
} from './installation.ts';
export type { Flag } from './layers.ts';
export { type ConfigSources, loadConfig } from './load.ts';
export { SERVICES } from './schema.ts';
export type { Address } from './setting.ts';
export { showConfig } from './show.ts';
