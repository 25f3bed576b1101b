export { brokerOptionsOf, roleOf } from './fleet.ts';
export { fleetTopics } from './fleet-topics.ts';
export { kafkaOptionsOf } from './kafka-options.ts';
export { type MissingSchema, missingSchemas, registerSchemas } from './registry-plan.ts';
