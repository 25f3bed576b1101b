import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { messageOf } from '@ringfence/base';
import { openKafkaBus } from '@ringfence/bus-kafka';
import type { Config } from '@ringfence/config';
import { identityPaths, loadIdentity } from '@ringfence/identity';
import { kafkaOptionsWithIdentity, roleOf } from '@ringfence/runtime/fleet';
import { type Check, failed, passed } from './check.ts';

const DEADLINE_MS = 5000;
const DAY_MS = 86_400_000;
const HTTPS_PORT = 443;
const REDIS_PORT = 6379;

/** Checks the identity of this member of a fleet and its certificate, and whether the servers that it uses answer. */
export async function checkFleet(config: Config): Promise<Check[]> {
  const identity = checkIdentity(config);
  // Brokers require a client certificate, which is part of the identity.
  const brokers = identity.ok ? [await checkBrokers(config)] : [];
  return [identity, ...brokers, ...(await Promise.all(serversOf(config).map(checkServer)))];
}

function checkIdentity({ identity: { path }, services }: Config): Check {
  const name = 'identity';
  const roles = services.map(roleOf).join(',');
  const enrol = `ringfence enrol --role ${roles} --registrar https://… --token-file …`;
  const costs = 'this process cannot join the fleet';
  try {
    const identity = loadIdentity(path);
    if (identity === null) return failed(name, `none in ${path}`, costs, enrol);
    const certificate = new X509Certificate(readFileSync(identityPaths(path).certificate));
    const found = `${identity.subject} (${identity.roles.join(', ')}), certificate until ${certificate.validToDate.toISOString()}`;
    return checkValidity(name, found, certificate, enrol);
  } catch (error) {
    return failed(name, messageOf(error), costs, enrol);
  }
}

/** A certificate is renewed at two thirds of its lifetime: in the last quarter, renewal has failed for a long time. */
export function checkValidity(
  name: string,
  found: string,
  { validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>,
  enrol: string,
  now: number = Date.now(),
): Check {
  const remainingMs = validToDate.getTime() - now;
  if (remainingMs <= 0) return failed(name, `${found}: expired`, 'servers refuse its connections', enrol);
  if (remainingMs > (validToDate.getTime() - validFromDate.getTime()) / 4) return passed(name, found);
  const days = (remainingMs / DAY_MS).toFixed(1);
  const fix = 'check that the registrar runs and that identity.registrar is its address: running processes then renew';
  return failed(name, `${found}: not renewed, ${days} days left`, 'servers will refuse its connections', fix);
}

async function checkBrokers(config: Config): Promise<Check> {
  const name = 'brokers';
  const addresses = config.bus.kafka.brokers.join(', ');
  try {
    await using _bus = await openKafkaBus({ ...kafkaOptionsWithIdentity(config), requestDeadlineMs: DEADLINE_MS });
    return passed(name, addresses);
  } catch (error) {
    const costs = 'services wait; agents keep events in their spool until it is full';
    return failed(name, messageOf(error), costs, 'start the brokers, or correct bus.kafka');
  }
}

interface Server {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly costs: string;
  /** Setting that has its address. */
  readonly setting: string;
}

/** Returns the servers in the settings that the services of this process use. */
function serversOf(config: Config): Server[] {
  const { services, schemaRegistry, redis, auditor, identity, control } = config;
  const server = (name: string, url: string, defaultPort: number, costs: string, setting: string): Server[] => {
    if (url === '') return [];
    const { hostname, port } = new URL(url);
    return [{ name, host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || defaultPort, costs, setting }];
  };
  const redisUrl = services.includes('responder') ? redis.url : '';
  const usesCluster = services.includes('auditor') && auditor.sink !== 'sqlite';
  return [
    ...server('registrar', identity.registrar, HTTPS_PORT, 'certificates are not renewed', 'identity.registrar'),
    ...server('schema registry', schemaRegistry.url, HTTPS_PORT, 'services wait', 'schemaRegistry.url'),
    ...server('Redis', redisUrl, REDIS_PORT, 'no process is killed: commands wait, and expire', 'redis.url'),
    ...(usesCluster ? auditor.elasticsearch.nodes : []).flatMap((node) =>
      server('search cluster', node, HTTPS_PORT, 'evidence waits on the bus', 'auditor.elasticsearch.nodes'),
    ),
    ...(services.includes('collector') ? control.endpoints : []).flatMap((endpoint) =>
      server('responder', `tcp://${endpoint}`, 0, 'without any responder, no process is killed', 'control.endpoints'),
    ),
  ];
}

async function checkServer({ name, host, port, costs, setting }: Server): Promise<Check> {
  const address = `${host}:${port}`;
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return passed(name, `${address} accepts connections`);
  } catch (error) {
    const reason =
      (error as Error).name === 'AbortError' ? `no answer within ${DEADLINE_MS / 1000} s` : messageOf(error);
    return failed(name, `${address}: ${reason}`, costs, `start it, or correct ${setting}`);
  } finally {
    socket.destroy();
  }
}
