import type { KeyObject } from 'node:crypto';
import { openEmbeddedBus } from '@ringfence/bus';
import { exchangeSchemas } from '@ringfence/bus-kafka/schemas';
import { enrolAgentKey, loadLocalIdentity } from '@ringfence/identity/local';
import { keyIdOf, ROLES, recordsOf, schemaBook, TOPIC } from '@ringfence/wire';
import { type Deployment, type DeploymentOptions, topicSpecs } from './deployment.ts';

/**
 * Opens the bus, loads the identity, and waits for whatever a fleet does not offer yet. Rejects with
 * SchemaIncompatibleError when the bus has records that this version can't read.
 */
export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  if (options.config.bus.driver !== 'kafka') return openEmbedded(options);
  // Imported lazily: the Kafka driver and certificates are large.
  return (await import('./fleet/fleet.ts')).openFleet(options);
}

async function openEmbedded({ config, log }: DeploymentOptions): Promise<Deployment> {
  const identity = loadLocalIdentity(config.stateDir);
  await using stack = new AsyncDisposableStack();
  const bus = stack.use(await openEmbeddedBus({ ...config.bus.embedded, log }));
  await bus.ensureTopics(topicSpecs(config));
  const records = { reads: recordsOf(ROLES, 'reads'), writes: recordsOf(ROLES, 'writes') };
  await exchangeSchemas(bus, { book: schemaBook(null), topic: TOPIC.schemas, log, ...records });
  const { hostId } = identity;
  const enrolled = new Map(identity.enrolled);
  // Batches in the log may still be signed with the previous key.
  const keysOfAgent = new Map<string, KeyObject>();
  const resources = stack.move();
  return {
    bus,
    hostId,
    bootId: identity.bootId,
    agentKey: identity.agentKey,
    commandKey: identity.responderKey,
    responderKeys: identity.trusted,
    enrolment: {
      keyFor: (host, keyId = '') =>
        (host === hostId ? keysOfAgent.get(keyId) : undefined) ?? identity.enrolled.get(host),
    },
    enrolled,
    takeAgentKey: (key) => {
      enrolAgentKey(config.stateDir, hostId, key);
      keysOfAgent.set(keyIdOf(key), key);
      enrolled.set(hostId, key);
    },
    serviceKey: null,
    trusted: null,
    fleet: null,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
