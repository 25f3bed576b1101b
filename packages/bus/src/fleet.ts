/** What a bus between machines needs: a process of one machine alone doesn't load it. */
export { KafkaBus, openKafkaBus } from './kafka/bus.ts';
export { RegistryClient } from './registry/client.ts';
export { registerSchema, subjectOf } from './registry/registry-source.ts';
export { withSchemas } from './registry/schema-bus.ts';
