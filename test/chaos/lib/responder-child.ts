/**
 * A responder of a fleet, for tests that kill it. Its argument is a ResponderChild as JSON. It accepts agents once it
 * has read the enrolments.
 */
import { openKafkaBus } from '@ringfence/bus-kafka';
import { serveControl } from '@ringfence/control';
import { openCoordination } from '@ringfence/coordination';
import {
  Enrolments,
  FleetStanding,
  identityPaths,
  loadIdentity,
  standingPath,
  watchCertificates,
} from '@ringfence/identity';
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
const responderIdentity = loadIdentity(identity);
if (responderIdentity === null) throw new Error(`${identity} contains no enrolled identity`);
const bus = await openKafkaBus({ brokers, topicPrefix, sessionTimeoutMs: 6000, log });
const enrolments = await Enrolments.open({ bus, root: responderIdentity.root });
const started = Promise.withResolvers<Awaited<ReturnType<typeof startResponder>>>();
const standing = new FleetStanding(responderIdentity.root, { path: standingPath(identity) });
const control = await serveControl({
  port,
  standing,
  tls: watchCertificates(identityPaths(identity)),
  enrolments,
  onResult: async (_, result) => (await started.promise).takeResult(result),
  log,
});
const responder = await startResponder({
  options: { commandTtlMs: 300_000, killsPerMinutePerHost: 10_000, killsPerMinute: 10_000, attachedMs: 5000 },
  bus,
  key: responderIdentity.signingKey,
  policies: [
    { policy: 'kills', desc: '', mode: 'enforce', scope: {}, when: { action: 'kill' }, do: 'kill', reach: 'tree' },
  ],
  control,
  coordination: await openCoordination({ url: redis, prefix: topicPrefix, log }),
  instance: responderIdentity.subject,
  trusted: enrolments.trustedKeys('detector'),
  responders: enrolments.trustedKeys('responder'),
  log,
});
started.resolve(responder);
await responder.done;
