export { adminOf, type DevFleet, freePort, makeTopics, startDevFleet } from './fleet.ts';
export { type Member, type MemberOptions, Members } from './members.ts';
export { type Servers, startBrokers, startServers } from './servers.ts';
