import { ACCESS, ROLES, topicsWith } from '@ringfence/wire';
import type { Fleet } from '../../src/topics-as-code/desired.ts';

/** A fleet with every topic and role there is; each role's principal has its name. */
export function createTestFleet(overrides: Partial<Fleet> = {}): Fleet {
  return {
    specs: topicsWith(4),
    roles: ROLES.map((role) => ({ principal: `User:${role}`, ...ACCESS[role] })),
    partitions: 4,
    prefix: '',
    replicationFactor: 0,
    minInsyncReplicas: 0,
    brokers: 3,
    ...overrides,
  };
}
