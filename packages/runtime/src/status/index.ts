// Status of a process

export { processesOf, type ServiceStatus, type Status, statusOf } from './status.ts';

// Consumer groups and their lag

export { consumerGroups, lagOf } from './consumer-lag.ts';

// Outcomes of events that were not sent

export { DROP_OUTCOMES, type DropCause, sumOfDrops } from './drop-outcomes.ts';

// Interests that hosts filter with

export { type HostInterests, interestsOf } from './host-interests.ts';
