export type { KafkaBusOptions } from '../options.ts';
export { applyPlan, brokersOf, readActual, type TopicAdmin } from './admin.ts';
export { BrokerAdminError, withAdmin } from './connect.ts';
export { desiredOf, type Fleet, type RoleAccess } from './desired.ts';
export { planTopics } from './plan.ts';
export {
  SERVICE_PRINCIPAL,
  type ServiceAccess,
  type SyncedAccess,
  servicePrincipal,
  syncServiceAccess,
} from './services.ts';
export { type GroupMember, type GroupQuestion, type GroupView, readTopology, type TopicLag } from './topology.ts';
export type { AccessEntry, Actual, ByHand, Change, Desired, Plan, TopicState } from './types.ts';
