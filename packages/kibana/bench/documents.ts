/** Documents of a fleet, made of those that the auditor stored of a recorded attack. */

export type Stored = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;
/** The longest range of a dashboard. */
const DAYS = 7;
const HOSTS = 5000;
const CONTAINERS = 10_000;
const IMAGES = 300;
const USERS = 300;
const RULES = 300;
const ADDRESSES = 50_000;
const COMMON_PROGRAMS = 50;
const RARE_PROGRAMS = 20_000;
const EVENTS_OF_A_PROCESS = 4;
const ALERTS_OF_A_CHAIN = 8;

/** xorshift32, so that each run makes the same documents. */
export function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Seven of ten events are of few programs. */
const programOf = (below: (limit: number) => number): string =>
  below(10) < 7 ? `/usr/bin/common-${below(COMMON_PROGRAMS)}` : `/opt/rare/bin/program-${below(RARE_PROGRAMS)}`;

/** Returns a function that makes the nth document of a template: values of a fleet for the fields that it has. */
export function createVariation(now: number): (template: Stored, n: number) => Stored {
  const below = randomBelow(0x9e3779b9);
  return (template, n) => {
    const at = now - below(DAYS * DAY_MS);
    const [host, container, image] = [below(HOSTS), below(CONTAINERS), below(IMAGES)];
    const program = programOf(below);
    const values: Stored = {
      '@timestamp': new Date(at).toISOString(),
      'event.ingested': new Date(at + 1500).toISOString(),
      'ringfence.delay': 200 + below(4000),
      'event.id': hex(n, 32),
      'trace.id': hex(n, 32),
      'host.id': `${hex(host, 8)}-0000-4000-8000-000000000000`,
      'host.name': `host-${host}`,
      'process.entity_id': hex(Math.floor(n / EVENTS_OF_A_PROCESS) * 2_654_435_761, 16),
      'process.pid': 1 + below(4_000_000),
      'process.executable': program,
      'process.name': program.slice(program.lastIndexOf('/') + 1),
      'user.name': `user-${below(USERS)}`,
      'container.id': hex(container, 64),
      'container.name': `pod-${container % 2000}`,
      'container.image.name': `registry.example.org/image-${image}:1`,
      'destination.ip': `10.${below(4)}.${below(ADDRESSES >> 8)}.${below(256)}`,
      'rule.name': `Rule ${below(RULES)}`,
      'ringfence.incident.id': `inc-${hex(Math.floor(n / ALERTS_OF_A_CHAIN), 16)}`,
    };
    const varied = Object.entries(values).filter(([field]) => template[field] !== undefined);
    return { ...template, ...Object.fromEntries(varied) };
  };
}
