/**
 * An agent without a sensor, for simulated hosts and tests: the outbox that brings signed batches to the bus, and the
 * agent's side of the Control port. Loads neither the sensor nor the log reader.
 */
export { type AgentControlOptions, createAgentControl } from './control/control.ts';
export { type SignedBatch, toSignedBatch } from './delivery/batch.ts';
export { type Outbox, type OutboxOptions, type OutboxStats, openOutbox } from './delivery/outbox.ts';
