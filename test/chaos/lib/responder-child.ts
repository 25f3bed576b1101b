/** One responder of a fleet, to be killed. Argument: JSON of ResponderChild. It listens for agents as soon as it has read who is enrolled. */
import { openKafkaBus } from '@ringfence/bus-kafka';
import { serveControl } from '@ringfence/control';
import { openCoordination } from '@ringfence/coordination';
import { Enrolments, identityPaths, loadIdentity, watchCertificates } from '@ringfence/identity';
import { startResponder } from '@ringfence/responder';
import { createLogger } from '@ringfence/telemetry';

export interface ResponderChild {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly redis: string;
  readonly identity: string;
  readonly port: number;
}

const { brokers, topicPrefix, redis, identity, port } = JSON.parse(process.argv[2] ?? '') as ResponderChild;
const log = createLogger({ level: 'warn' });
const own = loadIdentity(identity);
if (own === null) throw new Error(`nobody has enrolled in ${identity}`);
const bus = await openKafkaBus({ brokers, topicPrefix, sessionTimeoutMs: 6000, log });
const enrolments = await Enrolments.open({ bus, root: own.root });
const started = Promise.withResolvers<Awaited<ReturnType<typeof startResponder>>>();
const control = await serveControl({
  port,
  tls: watchCertificates(identityPaths(identity)),
  enrolments,
  onResult: async (_, result) => (await started.promise).takeResult(result),
  log,
});
const responder = await startResponder({
  options: { commandTtlMs: 300_000, killsPerMinutePerHost: 10_000, killsPerMinute: 10_000, attachedMs: 5000 },
  bus,
  key: own.signingKey,
  policies: [{ policy: 'kills', desc: '', mode: 'enforce', scope: {}, when: { action: 'kill' }, do: 'kill' }],
  control,
  coordination: await openCoordination({ url: redis, prefix: topicPrefix, log }),
  instance: own.subject,
  trusted: enrolments.trustedKeys('detector'),
  responders: enrolments.trustedKeys('responder'),
  log,
});
started.resolve(responder);
await responder.done;
