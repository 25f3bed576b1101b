import { openEmbeddedBus } from '@ringfence/bus';
import { exchangeSchemas } from '@ringfence/bus-kafka/schemas';
import { loadLocalIdentity } from '@ringfence/identity/local';
import { ROLES, recordsOf, schemaBook, TOPIC } from '@ringfence/wire';
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
  const resources = stack.move();
  return {
    bus,
    hostId: identity.hostId,
    bootId: identity.bootId,
    agentKey: identity.agentKey,
    commandKey: identity.responderKey,
    responderKeys: identity.trusted,
    enrolment: { keyFor: (hostId) => identity.enrolled.get(hostId) },
    enrolled: identity.enrolled,
    serviceKey: null,
    trusted: null,
    fleet: null,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
