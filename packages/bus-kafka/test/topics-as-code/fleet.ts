import { ACCESS, ROLES, topicsWith } from '@ringfence/wire';
import type { Fleet } from '../../src/topics-as-code/desired.ts';

/** Returns a fleet with all topics and roles. Each principal has the name of its role. */
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
