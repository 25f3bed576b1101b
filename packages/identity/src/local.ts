import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, OperatorError } from '@ringfence/base';
import { createSigningKey, importSigningKey, keyIdOf, type SigningKey } from '@ringfence/wire';
import { writeSecret } from './files.ts';

export { writeSecret } from './files.ts';

export interface Identity {
  /** UUID made at the first start */
  readonly hostId: string;
  /** UUID of this boot */
  readonly bootId: string;
  /** signs batches */
  readonly agentKey: SigningKey;
  /** signs commands */
  readonly responderKey: SigningKey;
  /** by host: whose batches the enricher takes */
  readonly enrolled: ReadonlyMap<string, KeyObject>;
  /** by key id: whose commands the agent takes */
  readonly trusted: ReadonlyMap<string, KeyObject>;
}

/**
 * Loads the identity of this host from `stateDir`: `host-id`, `keys/{agent,responder}.pem` (0600), `enrolled/HOST.pem`
 * and `trusted/KEY.pem`. Creates it at the first start. Throws OperatorError when `stateDir` can't be used.
 */
export function loadLocalIdentity(stateDir: string): Identity {
  try {
    return identityIn(stateDir);
  } catch (cause) {
    const { message } = cause as Error;
    throw new OperatorError(
      `the state directory ${stateDir} can't be used: ${message}; make it yours, or set stateDir to another`,
      {
        cause,
      },
    );
  }
}

/** The id of this host, made when it is first asked for. Throws OperatorError when `stateDir` can't be used. */
export function loadHostId(stateDir: string): string {
  return loadLocalIdentity(stateDir).hostId;
}

/** The identity of a sensor's process with a user of its own. The other process of the host cannot read its key. */
export interface SensorIdentity {
  readonly hostId: string;
  readonly agentKey: SigningKey;
}

/**
 * Loads the identity of the sensor's process from its own state directory: `host-id` and `keys/agent.pem`. Creates it
 * at the first start. Throws OperatorError when the directory can't be used, or belongs to another host id.
 */
export function loadSensorIdentity(stateDir: string, hostId: string): SensorIdentity {
  if (!UUID.test(hostId)) throw new OperatorError('the host id is no UUID');
  try {
    makeFolder(stateDir, 0o700);
    const known = readOrMake(join(stateDir, 'host-id'), () => hostId);
    if (known !== hostId)
      throw new OperatorError(`it belongs to host ${known}, not to ${hostId}: remove it to start with a new key`);
    return { hostId, agentKey: loadKey(join(stateDir, 'keys'), 'agent') };
  } catch (cause) {
    throw new OperatorError(`the sensor's state directory ${stateDir} can't be used: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Remembers the root key of the fleet at the first call. Throws OperatorError when it is another one later: whoever may
 * write to the directory of the identity would otherwise decide whose commands are executed.
 */
export function pinRootKey(stateDir: string, root: KeyObject): void {
  makeFolder(stateDir, 0o700);
  const path = join(stateDir, 'fleet-root.pem');
  const known = readOrMake(path, () => root.export({ type: 'spki', format: 'pem' }).toString());
  if (createPublicKey(known).equals(root)) return;
  throw new OperatorError(
    `root.pem is not the root key of the fleet that this host has joined. If the host has moved to another fleet, remove ${path} as root; else find out who has replaced root.pem`,
  );
}

/** Enrols the key of the host's agent in place of the previous one. */
export function enrolAgentKey(stateDir: string, hostId: string, key: KeyObject): void {
  const path = join(stateDir, 'enrolled', `${hostId}.pem`);
  writeSecret(path, key.export({ type: 'spki', format: 'pem' }).toString());
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function identityIn(stateDir: string): Identity {
  makeFolder(stateDir, 0o700);
  chmodSync(stateDir, 0o700);
  const hostId = readOrMake(join(stateDir, 'host-id'), randomUUID);
  // Whoever owns the directory may put a link here to what only the sensor's process can read.
  if (!UUID.test(hostId)) throw new OperatorError('host-id is no UUID');
  const agentKey = loadKey(join(stateDir, 'keys'), 'agent');
  const responderKey = loadKey(join(stateDir, 'keys'), 'responder');
  keepPublic(join(stateDir, 'enrolled'), hostId, agentKey.publicKey);
  keepPublic(join(stateDir, 'trusted'), responderKey.keyId, responderKey.publicKey);
  return {
    hostId,
    bootId: bootId(),
    agentKey,
    responderKey,
    enrolled: publicKeys(join(stateDir, 'enrolled'), (name) => name),
    trusted: publicKeys(join(stateDir, 'trusted'), (_, key) => keyIdOf(key)),
  };
}

function loadKey(dir: string, name: string): SigningKey {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const make = (): string => createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return importSigningKey(readOrMake(join(dir, `${name}.pem`), make));
}

function readOrMake(path: string, make: () => string): string {
  if (!existsSync(path)) writeSecret(path, `${make().trim()}\n`);
  return readFileSync(path, 'utf8').trim();
}

function keepPublic(dir: string, name: string, key: KeyObject): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  readOrMake(join(dir, `${name}.pem`), () => key.export({ type: 'spki', format: 'pem' }).toString());
}

function publicKeys(dir: string, idOf: (name: string, key: KeyObject) => string): Map<string, KeyObject> {
  const files = readdirSync(dir).filter((file) => file.endsWith('.pem'));
  return new Map(
    files.map((file) => {
      const key = createPublicKey(readFileSync(join(dir, file), 'utf8'));
      return [idOf(file.slice(0, -'.pem'.length), key), key];
    }),
  );
}

/** Of the boot that is running. */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
