import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { openKafkaBus } from '@ringfence/bus/fleet';
import type { Config } from '@ringfence/config';
import { identityPaths, loadIdentity } from '@ringfence/identity';
import { kafkaOptionsWithIdentity, roleOf } from '@ringfence/runtime/fleet';
import { bad, type Check, ok } from './checks.ts';

const DEADLINE_MS = 5000;
const DAY_MS = 86_400_000;
const HTTPS = 443;
const REDIS = 6379;

/** What this process of a fleet needs of others: who it is, until when, and whether those it speaks with answer. */
export async function checkFleet(config: Config): Promise<Check[]> {
  const identity = checkIdentity(config);
  // Brokers ask who it is: without an identity there is nothing to show them.
  const brokers = identity.ok ? [await checkBrokers(config)] : [];
  return [identity, ...brokers, ...(await Promise.all(serversOf(config).map(checkServer)))];
}

function checkIdentity({ identity: { path }, services }: Config): Check {
  const name = 'identity';
  const roles = services.map(roleOf).join(',');
  const enrol = `ringfence enrol --role ${roles} --registrar https://… --token …`;
  const costs = 'it takes no part in the fleet';
  try {
    const identity = loadIdentity(path);
    if (identity === null) return bad(name, `none in ${path}`, costs, enrol);
    const certificate = new X509Certificate(readFileSync(identityPaths(path).certificate));
    const found = `${identity.subject} (${identity.roles.join(', ')}), certificate until ${certificate.validToDate.toISOString()}`;
    return checkValidity(name, found, certificate, enrol);
  } catch (error) {
    return bad(name, (error as Error).message, costs, enrol);
  }
}

/** It is renewed at two thirds of its time: in the last quarter, that has failed for long. */
export function checkValidity(
  name: string,
  found: string,
  { validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>,
  enrol: string,
  now: number = Date.now(),
): Check {
  const left = validToDate.getTime() - now;
  if (left <= 0) return bad(name, `${found}: it has expired`, 'nobody lets it in', enrol);
  if (left > (validToDate.getTime() - validFromDate.getTime()) / 4) return ok(name, found);
  const days = (left / DAY_MS).toFixed(1);
  const fix = 'see that the registrar runs and identity.registrar names it: running processes renew by themselves';
  return bad(name, `${found}: ${days} days left, and not renewed`, 'nobody lets it in from then on', fix);
}

async function checkBrokers(config: Config): Promise<Check> {
  const name = 'brokers';
  const where = config.bus.kafka.brokers.join(', ');
  try {
    await using _bus = await openKafkaBus({ ...kafkaOptionsWithIdentity(config), requestDeadlineMs: DEADLINE_MS });
    return ok(name, where);
  } catch (error) {
    const costs = 'services wait; agents keep what they see in their spool, as long as there is room';
    return bad(name, (error as Error).message, costs, 'start the brokers, or correct bus.kafka');
  }
}

interface Server {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly costs: string;
  /** the setting that names it */
  readonly setting: string;
}

/** Those that these services speak with, as they are set. */
function serversOf(config: Config): Server[] {
  const { services, schemaRegistry, redis, auditor, identity, control } = config;
  const at = (name: string, url: string, port: number, costs: string, setting: string): Server[] => {
    if (url === '') return [];
    const { hostname, port: given } = new URL(url);
    return [{ name, host: hostname.replace(/^\[|\]$/g, ''), port: Number(given) || port, costs, setting }];
  };
  const responds = services.includes('responder');
  const inCluster = services.includes('auditor') && auditor.sink !== 'sqlite';
  return [
    ...at('registrar', identity.registrar, HTTPS, 'certificates are not renewed', 'identity.registrar'),
    ...at('schema registry', schemaRegistry.url, HTTPS, 'services wait', 'schemaRegistry.url'),
    ...(responds ? at('Redis', redis.url, REDIS, 'nothing is killed: commands wait, and expire', 'redis.url') : []),
    ...(inCluster ? auditor.elasticsearch.nodes : []).flatMap((node) =>
      at('search cluster', node, HTTPS, 'evidence waits on the bus', 'auditor.elasticsearch.nodes'),
    ),
    ...(services.includes('collector') ? control.endpoints : []).flatMap((endpoint) =>
      at('responder', `tcp://${endpoint}`, 0, 'if all are away, nothing is killed on this host', 'control.endpoints'),
    ),
  ];
}

async function checkServer({ name, host, port, costs, setting }: Server): Promise<Check> {
  const where = `${host}:${port}`;
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return ok(name, `${where} takes connections`);
  } catch (error) {
    const why =
      (error as Error).name === 'AbortError' ? `no answer within ${DEADLINE_MS / 1000} s` : (error as Error).message;
    return bad(name, `${where}: ${why}`, costs, `start it, or correct ${setting}`);
  } finally {
    socket.destroy();
  }
}
