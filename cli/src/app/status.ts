import { SERVICES, type ServiceName } from '@ringfence/config';
import { VERSION } from '../version.ts';
import type { App } from './app.ts';
import { lagOf } from './groups.ts';

export interface ServiceStatus {
  readonly name: ServiceName;
  /** records of its input that it has not committed; of the collector, bytes in the rings */
  readonly lag: number;
  readonly stats: unknown;
}

/** How `up` does: what `ringfence status` prints and the live view draws. */
export interface Status {
  readonly version: string;
  readonly hostId: string;
  readonly bootId: string;
  readonly mode: string;
  readonly pid: number;
  readonly uptimeS: number;
  readonly rssBytes: number;
  readonly bus: { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean };
  readonly services: readonly ServiceStatus[];
}

export async function statusOf(app: App): Promise<Status> {
  const services = await Promise.all(SERVICES.map((name) => serviceStatus(app, name)));
  return {
    version: VERSION,
    hostId: app.site.hostId,
    bootId: app.site.bootId,
    mode: app.config.responder.mode,
    pid: process.pid,
    uptimeS: Math.round(process.uptime()),
    rssBytes: process.memoryUsage.rss(),
    bus: app.site.bus.pressure(),
    services: services.filter((service) => service !== undefined),
  };
}

async function serviceStatus(app: App, name: ServiceName): Promise<ServiceStatus | undefined> {
  const service = app.services[name];
  if (service === undefined) return undefined;
  const ring = app.services.collector?.stats().pendingBytes;
  const lag = name === 'collector' && ring !== undefined ? ring.security + ring.bulk : await lagOf(app.site.bus, name);
  return { name, lag, stats: service.stats() };
}
