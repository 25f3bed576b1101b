export { type KafkaBus, openKafkaBus } from './bus.ts';
export { RegistryClient, type RegistryOptions } from './registry/client.ts';
export { registerSchema, subjectOf } from './registry/registry-source.ts';
export { type SchemaBus, withSchemas } from './registry/schema-bus.ts';
