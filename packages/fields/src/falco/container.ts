import type { EventView } from '@ringfence/wire';
import { accessor, type Field, nonEmpty, ofContainer } from '../field.ts';
import { containerFields } from '../host/container.ts';
import { falco as define, never } from './define.ts';

/** Falco's container id and name outside of containers. */
const HOST = 'host';
const SHORT = 12;

const falco: typeof define = (name, type, doc, get, more) =>
  define(name, type, doc, get, { ...more, subject: ofContainer });

type Mount = NonNullable<EventView['container']>['mounts'][number];

const name = accessor(containerFields, 'container.name');
const runtime = accessor(containerFields, 'container.runtime');
/** A field whose value outside of containers is `host`. */
const orHost = (name: string, doc: string, get: Field['get']): Field =>
  falco(name, 'string', `${doc}; host: no container.`, (event) => (event.container === undefined ? HOST : get(event)), {
    otherwise: { value: HOST, of: 'container.id' },
  });

/** Matches a pattern, where `*` is any text and `?` one character, in at most text × pattern steps. */
function fits(pattern: string, text: string): boolean {
  let [at, of, run, from] = [0, 0, -1, 0];
  while (at < text.length) {
    if (of < pattern.length && (pattern[of] === '?' || pattern[of] === text[at]) && pattern[of] !== '*') {
      at++;
      of++;
    } else if (pattern[of] === '*') {
      run = of++;
      from = at;
    } else if (run >= 0) {
      of = run + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[of] === '*') of++;
  return of === pattern.length;
}

/** Returns the mount with this number, or the first mount whose path matches. */
function mountAt(
  event: EventView,
  argument: string | number | undefined,
  by: 'source' | 'destination',
): Mount | undefined {
  const mounts = event.container?.mounts;
  const wanted = String(argument);
  if (/^\d+$/.test(wanted)) return mounts?.[Number(wanted)];
  return mounts?.find((mount) => fits(wanted, mount[by]));
}

/** source:destination:mode:rdwr:propagation; mode and propagation are unknown and empty. */
const whole = ({ source, destination, readonly }: Mount): string =>
  `${source}:${destination}::${readonly ? 'false' : 'true'}:`;

function mount(name: string, doc: string, by: 'source' | 'destination', get: (mount: Mount) => string): Field {
  return falco(
    name,
    'strings',
    `${doc}: [0] by number, [/etc*] by its ${by}; without, of all.`,
    (event, argument) => {
      if (argument === undefined) return event.container?.mounts.map(get);
      const found = mountAt(event, argument, by);
      return found === undefined ? undefined : [get(found)];
    },
    { argument: 'key', argumentOptional: true },
  );
}

const labels = (of: Readonly<Record<string, string>> | undefined): string | undefined =>
  nonEmpty(
    Object.entries(of ?? {})
      .map(([key, value]) => `${key}:${value}`)
      .join(', '),
  );
const label = (name: string, of: (event: EventView) => Readonly<Record<string, string>> | undefined): Field =>
  falco(name, 'string', 'One label by its key.', (event, key) => of(event)?.[String(key)], { argument: 'key' });

const PROBES = 'health checks and probes of containers are not read';
const ADDRESSES = 'addresses of containers and pods are not read';

/** Falco's fields `container.*` and `k8s.*`. */
export const falcoContainerFields: readonly Field[] = [
  orHost('container.id', 'First 12 characters of the id', (event) => event.container?.id.slice(0, SHORT)),
  falco('container.full_id', 'string', 'Id of the container.', (event) => event.container?.id),
  orHost('container.name', 'Name of the container', name),
  orHost('container.type', 'docker, containerd, podman, cri-o, …', runtime),
  falco('container.image.id', 'string', 'First 12 characters of the hash.', (event) =>
    nonEmpty(event.container?.imageId.replace(/^sha256:/, '').slice(0, SHORT)),
  ),
  falco('container.mounts', 'string', 'All mounts, source:destination::writable:.', (event) =>
    nonEmpty(event.container?.mounts.map(whole).join(' ')),
  ),
  mount('container.mount', 'A mount', 'source', whole),
  mount('container.mount.source', 'Source of a mount', 'destination', ({ source }) => source),
  mount('container.mount.dest', 'Destination of a mount', 'source', ({ destination }) => destination),
  mount('container.mount.rdwr', 'Whether a mount is writable', 'source', ({ readonly }) => String(!readonly)),
  falco('container.start_ts', 'number', 'When it was started, ns since the epoch.', ({ container }) =>
    container === undefined || container.startedAt === 0 ? undefined : container.startedAt * 1000,
  ),
  falco('container.labels', 'string', 'All labels, key:value.', (event) => labels(event.container?.labels)),
  label('container.label', (event) => event.container?.labels),
  falco('k8s.pod.id', 'string', 'Uid of the pod.', (event) => nonEmpty(event.container?.podUid)),
  falco('k8s.pod.labels', 'string', 'All labels of the pod, key:value.', (event) => labels(event.container?.podLabels)),
  label('k8s.pod.label', (event) => event.container?.podLabels),
  ...never(
    'only source, destination and writability of a mount are recorded',
    'container.mount.mode container.mount.propagation',
  ),
  ...never(PROBES, 'container.healthcheck container.liveness_probe container.readiness_probe'),
  ...never(ADDRESSES, 'container.ip container.cni.json k8s.pod.ip k8s.pod.cni.json'),
  ...never('sandboxes of pods are not distinguished', 'k8s.pod.sandbox_id k8s.pod.full_sandbox_id'),
  ...never(
    'the runtime reports only namespace, pod and labels of Kubernetes',
    'k8s.ns.id k8s.ns.label k8s.ns.labels k8s.rc.name k8s.rc.id k8s.rc.label k8s.rc.labels k8s.svc.name k8s.svc.id k8s.svc.label k8s.svc.labels k8s.rs.name k8s.rs.id k8s.rs.label k8s.rs.labels k8s.deployment.name k8s.deployment.id k8s.deployment.label k8s.deployment.labels',
  ),
];
