import type { ContainerValues, SyntheticHost, SyntheticProcess } from '@ringfence/synthetic';
import type { Facts } from './facts.ts';

/** A container of the synthetic host. */
export interface Container {
  readonly cgroup: bigint;
  /** Number of its pid namespace. */
  readonly pidNamespace: number;
  readonly values: ContainerValues;
  /** The runtime in it, before it executes the first program. */
  runtime: SyntheticProcess | undefined;
  /** Its first process, once the runtime has executed a program. */
  first: SyntheticProcess | undefined;
}

const FIRST_CGROUP = 700n;
const FIRST_PID_NAMESPACE = 51;

/** The containers of a synthetic host. The agent reports each of them before its first event. */
export class Containers {
  readonly #host: SyntheticHost;
  readonly #containers: Container[] = [];

  constructor(host: SyntheticHost) {
    this.#host = host;
  }

  /** Returns the container that the fields describe: a known one unless it differs from them, else a new one. */
  of(facts: Facts): Container {
    const given = givenValues(facts, this.#host);
    const known = this.#containers.find(({ values }) => agrees(values, given));
    if (known !== undefined) return known;
    const number = this.#containers.length;
    const cgroup = FIRST_CGROUP + BigInt(number);
    const values = { ...DEFAULTS, id: `c0ffee${cgroup}`, ...given, cgroup };
    this.#host.container(values);
    const container = {
      cgroup,
      pidNamespace: FIRST_PID_NAMESPACE + number,
      values,
      runtime: undefined,
      first: undefined,
    };
    this.#containers.push(container);
    return container;
  }

  inCgroup(cgroup: bigint): Container | undefined {
    return this.#containers.find((container) => container.cgroup === cgroup);
  }
}

/** Whether the event is about a container. */
export const isInContainer = (facts: Facts): boolean => facts.any('container.') || facts.any('orchestrator.');

const DEFAULTS = {
  name: 'web-1',
  image: 'nginx:1.27',
  runtime: 'docker',
  privileged: false,
  labels: {},
  namespace: '',
  pod: '',
};

type Given = Partial<Omit<ContainerValues, 'cgroup'>>;

function givenValues(facts: Facts, host: SyntheticHost): Given {
  const labels = Object.fromEntries(facts.arguments('container.labels'));
  const duration = facts.number('container.duration');
  const values = {
    id: facts.text('container.id'),
    name: facts.text('container.name'),
    image: imageOf(facts),
    runtime: facts.text('container.runtime'),
    privileged: facts.bool('container.security_context.privileged'),
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    namespace: facts.text('orchestrator.namespace'),
    pod: facts.text('orchestrator.resource.name'),
    mounts: mountsOf(facts),
    namespaces: namespacesOf(facts),
    startedAt: duration === undefined ? undefined : host.wallOffset + host.ktime - duration / 1000,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function imageOf(facts: Facts): string | undefined {
  const repository = facts.text('container.image.repository');
  const whole = repository === undefined ? undefined : `${repository}:${facts.text('container.image.tag') ?? 'latest'}`;
  return facts.text('container.image.name') ?? whole;
}

function mountsOf(facts: Facts): ContainerValues['mounts'] {
  const writable = facts.list('container.mount.writable') ?? [];
  const sources = facts.list('container.mount.source') ?? writable;
  const destinations = facts.list('container.mount.destination') ?? [];
  if (sources.length === 0) return undefined;
  return sources.map((source, i) => ({
    source,
    destination: destinations[i] ?? `/mnt${source}`,
    readonly: !writable.includes(source),
  }));
}

function namespacesOf(facts: Facts): readonly string[] | undefined {
  const shared = ['pid', 'network', 'ipc'].filter((name) => facts.bool(`container.host_${name}`) === true);
  return shared.length === 0 ? undefined : shared.map((name) => `${name}=host`);
}

function agrees(values: ContainerValues, given: Given): boolean {
  const { startedAt: _, ...compared } = given;
  const has = values as Readonly<Record<string, unknown>>;
  return Object.entries(compared).every(([name, value]) => JSON.stringify(has[name]) === JSON.stringify(value));
}
