export { type Cause, FATES, sumOf } from './fates.ts';
export { groups, lagOf } from './groups.ts';
export { type HostInterests, interestsOf } from './interests.ts';
export { processesOf, type ServiceStatus, type Status, statusOf } from './status.ts';
