import { VERSION } from '@ringfence/base';
import { SERVICES, type ServiceName } from '@ringfence/config';
import type { ControlLinkStats } from '@ringfence/control';
import type { App } from '../app.ts';
import { privilegesOf } from '../host/capabilities.ts';
import { lagOf } from './consumer-lag.ts';

export interface ServiceStatus {
  readonly name: ServiceName;
  /** Input records that are not committed; for the collector, bytes in the rings. */
  readonly lag: number;
  readonly stats: unknown;
}

/** A process of `up` with its privileges. */
export interface ProcessStatus {
  readonly pid: number;
  readonly uid: number;
  readonly capabilities: readonly string[];
  readonly rssBytes: number;
}

/** Status of a running `up`, which `ringfence status` and the live view show. */
export interface Status {
  readonly version: string;
  readonly hostId: string;
  readonly bootId: string;
  readonly mode: string;
  readonly pid: number;
  readonly uptimeS: number;
  /** Sum over all processes. */
  readonly rssBytes: number;
  readonly processes: readonly ProcessStatus[];
  readonly bus: { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean };
  readonly services: readonly ServiceStatus[];
  /** The agent's stream to a responder; absent on the embedded log. */
  readonly control?: ControlLinkStats;
}

export async function statusOf(app: App): Promise<Status> {
  await app.services.collector?.refresh?.();
  const services = await Promise.all(SERVICES.map((name) => serviceStatus(app, name)));
  const processes = processesOf(app.pids);
  return {
    version: VERSION,
    hostId: app.deployment.hostId,
    bootId: app.deployment.bootId,
    mode: app.config.responder.mode,
    pid: process.pid,
    uptimeS: Math.round(process.uptime()),
    rssBytes: processes.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    processes,
    bus: app.deployment.bus.pressure(),
    services: services.filter((service) => service !== undefined),
    ...(app.controlLink === null ? {} : { control: app.controlLink.stats() }),
  };
}

async function serviceStatus(app: App, name: ServiceName): Promise<ServiceStatus | undefined> {
  const service = app.services[name];
  if (service === undefined) return undefined;
  return { name, lag: await backlogOf(app, name), stats: service.stats() };
}

async function backlogOf({ services, deployment }: App, name: ServiceName): Promise<number> {
  const ring = services.collector?.stats().pendingBytes;
  if (name === 'collector' && ring !== undefined) return ring.security + ring.bulk;
  if (name === 'forwarder') return Object.values(services.forwarder!.stats().backlog).reduce((sum, n) => sum + n, 0);
  return lagOf(deployment.bus, name);
}

export function processesOf(pids: readonly number[]): ProcessStatus[] {
  return pids.flatMap((pid) => {
    const privileges = privilegesOf(pid);
    return privileges === null ? [] : [{ pid, ...privileges }];
  });
}
