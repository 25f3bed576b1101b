import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@ringfence/base';
import type { Config, ServiceName } from '@ringfence/config';
import {
  type Authority,
  createAuthority,
  createRequest,
  forgetSigningKey,
  type Identity,
  keepRenewed,
  loadIdentity,
  openAuthority,
  writeIdentity,
} from '@ringfence/identity';
import { createSigningKey, type Role } from '@ringfence/wire';
import type { DeploymentOptions } from '../deployment.ts';

export const roleOf = (service: ServiceName): Role => (service === 'collector' ? 'agent' : service);

/** Opens the fleet's certificate authority, or creates it at the registrar's first start. */
export async function openOrCreateAuthority({ registrar }: Config): Promise<Authority> {
  return existsSync(join(registrar.path, 'ca.pem')) ? openAuthority(registrar.path) : createAuthority(registrar.path);
}

/** Loads the identity of this process. Throws OperatorError when it is not enrolled, or not for every service. */
export async function loadFleetIdentity(config: Config, authority: Authority | null): Promise<Identity> {
  const { path, rootKey } = config.identity;
  const roles = config.services.map(roleOf);
  const identity =
    loadIdentity(path, rootKey) ?? (authority === null ? null : await issueRegistrarIdentity(config, authority));
  if (identity === null) {
    const role = roles.join(',');
    throw new OperatorError(
      `this process is not enrolled (${path} has no identity): on the registrar run "ringfence token --role ${role}", here "ringfence enrol --role ${role} --registrar https://… --token-file …"`,
    );
  }
  const missing = roles.filter((role) => !identity.roles.includes(role));
  if (missing.length === 0) return identity;
  throw new OperatorError(
    `the identity in ${path} belongs to ${identity.subject} (${identity.roles.join(', ')}), which may not run ${missing.join(', ')}: enrol with a token for that role, or remove it from "services"`,
  );
}

/** The process with the authority needs no token: it issues its own certificate. */
async function issueRegistrarIdentity(config: Config, authority: Authority): Promise<Identity | null> {
  const { certificateDays, path } = config.registrar;
  const subject = 'registrar';
  const request = await createRequest(subject);
  const { certificate } = await authority.issue({
    csr: request.csr,
    subject,
    roles: ['registrar'],
    days: certificateDays,
  });
  writeIdentity(config.identity.path, {
    certificate,
    key: request.key,
    authority: authority.certificate,
    signingKey: createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    root: readFileSync(join(path, 'root.pem'), 'utf8'),
    stateKeys: '{}',
  });
  return loadIdentity(config.identity.path);
}

/** Removes the private signing key if the sensor's process has taken it over, and no service of this process signs. */
export function forgetAgentKey(directory: string, { roles, signingKey }: Identity): void {
  if (roles.every((role) => role === 'agent')) forgetSigningKey(directory, signingKey);
}

/** Renews the certificate in the background until the returned resource is disposed. */
export function renewCertificate({
  config,
  log,
  prove,
}: Pick<DeploymentOptions, 'config' | 'log' | 'prove'>): AsyncDisposable {
  const stop = new AbortController();
  const { registrar, path: directory } = config.identity;
  const running = keepRenewed({ registrar, directory, signal: stop.signal, log, prove });
  running.catch((err: unknown) => log.error({ err }, 'certificates are no longer renewed'));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.catch(() => {});
    },
  };
}
