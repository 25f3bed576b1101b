import { AclOperations, AclPermissionTypes, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';
import { type AccessLists, addEntries, readAccess, textOf, waitUntil } from './admin.ts';
import { accessOf, type RoleAccess } from './desired.ts';
import type { AccessEntry } from './types.ts';

/**
 * Begins the principal of each service; the name follows. Without it, a service that is called like an administrator
 * would have the administrator's rights.
 */
export const SERVICE_PRINCIPAL = 'User:service:';

export const servicePrincipal = (name: string): string => `${SERVICE_PRINCIPAL}${name}`;

/** A service with its roles; none when it has been revoked. */
export interface ServiceAccess {
  readonly name: string;
  readonly roles: readonly Omit<RoleAccess, 'principal'>[];
}

export interface SyncedAccess {
  readonly added: number;
  readonly removed: number;
}

/**
 * Gives each service the access of its roles and removes every entry of a service without roles. Other principals stay
 * as they are. Returns null when the brokers have no authorizer. Resolves once the brokers report the change.
 *
 * @param prefix of the topics and groups of the fleet
 */
export async function syncServiceAccess(
  admin: AccessLists,
  services: readonly ServiceAccess[],
  prefix: string,
): Promise<SyncedAccess | null> {
  const actual = await readAccess(admin);
  if (actual === null) return null;
  const listed = new Set(actual.map(textOf));
  const missing = new Map<string, AccessEntry>();
  for (const { name, roles } of services) {
    const principal = servicePrincipal(name);
    const entries = roles.flatMap((role) => accessOf({ ...role, principal }, prefix));
    for (const entry of entries) if (!listed.has(textOf(entry))) missing.set(textOf(entry), entry);
  }
  if (missing.size > 0) await addEntries(admin, [...missing.values()]);
  const denied = new Set(services.filter(({ roles }) => roles.length === 0).map(({ name }) => servicePrincipal(name)));
  const removed = actual.filter(({ principal }) => denied.has(principal));
  if (removed.length > 0) await removePrincipals(admin, new Set(removed.map(({ principal }) => principal)));
  return { added: missing.size, removed: removed.length };
}

async function removePrincipals(admin: AccessLists, principals: ReadonlySet<string>): Promise<void> {
  const filters = [...principals].map((principal) => ({
    resourceType: ResourceTypes.ANY,
    resourceName: null,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal,
    host: null,
    operation: AclOperations.ANY,
    permissionType: AclPermissionTypes.ANY,
  }));
  await admin.deleteAcls({ filters });
  await waitUntil('the removal of access entries', async () => {
    const remaining = (await readAccess(admin)) ?? [];
    return remaining.filter(({ principal }) => principals.has(principal)).map(textOf);
  });
}
