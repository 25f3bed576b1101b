// A whole fleet

export { type DevFleet, startDevFleet } from './fleet.ts';

// Its parts, for a fleet that is put together differently

export { createAdminConfig, createTopics, freePort } from './fleet.ts';
export { type Member, type MemberOptions, Members } from './members.ts';
export { type Servers, startBrokers, startServers } from './servers.ts';
