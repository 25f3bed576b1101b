// How the members of a fleet reach their brokers

export { kafkaOptionsOf, kafkaOptionsWithIdentity } from './kafka-options.ts';

// Roles of services

export { roleOf } from './identity.ts';

// Topics, access lists and schemas that the brokers and the registry should have

export { type MissingSchema, missingSchemas, registerSchemas } from './schema-registry.ts';
export { fleetTopics } from './topics.ts';
