import { ROLES, type Role } from '@ringfence/wire';
import { IdentityError } from './errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const MAX_HOSTS = 16;
const HOST = /^[A-Za-z0-9.:-]{1,253}$/;

/** Whether a subject is the id of a host: services have names. */
export function isHostId(subject: string): boolean {
  return UUID.test(subject);
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/**
 * Parses the roles of a certificate. One process may run several services: `detector,enricher`; an agent has no other
 * role. Throws IdentityError for an unknown role.
 */
export function parseRoles(text: string): readonly Role[] {
  const roles = [...new Set(text.split(','))].sort();
  const bad = roles.find((role) => !isRole(role));
  if (bad !== undefined) {
    throw new IdentityError(
      'ERR_IDENTITY_REQUEST',
      `"${bad.slice(0, 64)}" is not a role: expected ${ROLES.join(', ')}`,
    );
  }
  if (roles.length > 1 && roles.includes('agent')) {
    throw new IdentityError(
      'ERR_IDENTITY_REQUEST',
      'an agent cannot have further roles: enrol the services separately',
    );
  }
  return roles as Role[];
}

/** Throws IdentityError. A host id is a UUID and a service name is not, so that neither can pass for the other. */
export function checkSubject(subject: string, roles: readonly Role[]): void {
  const isAgent = roles.includes('agent');
  const fits = isAgent ? UUID.test(subject) : NAME.test(subject) && !UUID.test(subject);
  if (fits) return;
  const expected = isAgent ? 'a host id, a UUID in lower case' : 'a name of letters a-z, digits, dots and dashes';
  throw new IdentityError('ERR_IDENTITY_REQUEST', `subject "${subject.slice(0, 64)}": expected ${expected}`);
}

/** Checks the names and addresses of a server certificate. Throws IdentityError. */
export function checkHosts(hosts: readonly string[]): void {
  if (hosts.length > MAX_HOSTS || !hosts.every((host) => HOST.test(host))) {
    throw new IdentityError('ERR_IDENTITY_REQUEST', `hosts: expected at most ${MAX_HOSTS} DNS names or addresses`);
  }
}
