import { messageOf } from '@ringfence/base';
import type { Identity, TlsSource } from '@ringfence/identity';
import {
  confirmLeft,
  type Enrolments,
  FleetStanding,
  fetchStanding,
  keepStanding,
  standingPath,
} from '@ringfence/identity';
import type { DeploymentOptions } from '../deployment.ts';
import { RevocationWatch } from './revocation.ts';

/** Interval at which a service fetches the standing, ms; responders pass it on to their agents. */
const REFRESH_MS = 150_000;
/** Deadline of the message that a revoked service has left, ms: the registrar waits for it a few seconds only. */
const LEFT_TIMEOUT_MS = 5000;

/**
 * The services in force, and whether this process is one of them. Dispose it after the bus: then the registrar learns
 * that a revoked service has left its groups.
 */
export interface MemberStanding extends AsyncDisposable {
  readonly standing: FleetStanding;
  /** Undefined when no registrar is set. */
  readonly fetch: (() => Promise<Uint8Array | null>) | undefined;
  readonly revocation: RevocationWatch;
  /** Also learns changes of services from the bus. */
  follow(enrolments: Enrolments): void;
}

/** Services fetch the standing every few minutes, and after changes. An agent waits for the one of its responder. */
export function openStanding(options: DeploymentOptions, identity: Identity, tls: TlsSource): MemberStanding {
  const { config, log } = options;
  const { registrar, path } = config.identity;
  const stack = new AsyncDisposableStack();
  const standing = new FleetStanding(identity.root, {
    log,
    maxAgeMs: config.control.standingMaxAgeMs,
    ...(options.hasSensorProcess === true ? {} : { path: standingPath(path) }),
  });
  const revocation = stack.use(new RevocationWatch(identity, standing));
  if (registrar !== '') stack.defer(() => confirmDeparture());
  const fromRegistrar = async (): Promise<Uint8Array | null> => {
    const bytes = await fetchStanding({ registrar }, tls.current());
    if (bytes !== null) {
      standing.add(bytes);
      revocation.noteFetched();
    }
    return bytes;
  };
  const confirmDeparture = async (): Promise<void> => {
    if (!revocation.isRevoked) return;
    try {
      await confirmLeft({ registrar, timeoutMs: LEFT_TIMEOUT_MS }, tls.current());
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the registrar did not learn that this revoked service has left');
    }
  };
  const fetch = registrar === '' ? undefined : fromRegistrar;
  const isService = identity.roles.some((role) => role !== 'agent' && role !== 'registrar');
  const refreshMs = Math.min(REFRESH_MS, standing.maxAgeMs / 4);
  const keeper =
    fetch === undefined || !isService ? null : stack.use(keepStanding({ standing, fetch, refreshMs, log }));
  stack.use(tls.onChange(() => keeper?.refresh()));
  // The stored standing may be of before a revocation.
  keeper?.refresh();
  return {
    standing,
    fetch,
    revocation,
    follow(enrolments) {
      revocation.follow(enrolments);
      const watch = enrolments.onChange(({ role }) => {
        if (role !== 'agent') keeper?.refresh();
      });
      stack.use(watch);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
