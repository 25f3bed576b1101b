/** Process of the simulated hosts of `ringfence dev fleet`: node main.ts PLAN. */
import { readFileSync } from 'node:fs';
import { VERSION } from '@ringfence/base';
import { serveApi } from '@ringfence/runtime';
import { exitAfterFlush, explainError, untilInterrupted } from '@ringfence/runtime/process';
import { processesOf, type Status } from '@ringfence/runtime/status';
import { createLogger } from '@ringfence/telemetry';
import { SimulatedHost } from './host.ts';
import { type SimulationPlan, simulate } from './simulation.ts';

/** Hosts that start in parallel; each start takes a handshake or two. */
const START_AT_ONCE = 8;

async function main(planFile: string): Promise<void> {
  const plan = JSON.parse(readFileSync(planFile, 'utf8')) as SimulationPlan;
  const signal = untilInterrupted();
  const log = createLogger({ level: 'warn' });
  await using stack = new AsyncDisposableStack();
  const hosts: SimulatedHost[] = [];
  for (let at = 0; at < plan.configFiles.length; at += START_AT_ONCE) {
    const configFiles = plan.configFiles.slice(at, at + START_AT_ONCE);
    const starts = await Promise.allSettled(
      configFiles.map((configFile) => SimulatedHost.start({ configFile, log, signal })),
    );
    for (const start of starts) if (start.status === 'fulfilled') hosts.push(stack.use(start.value));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
  }
  stack.use(await serveApi(plan.socket, { status: { operator: false, answer: () => ({ json: statusOf(hosts) }) } }));
  await simulate(hosts, plan, signal);
}

type HostStats = ReturnType<SimulatedHost['stats']>;

function statusOf(hosts: readonly SimulatedHost[]): Status {
  const allStats = hosts.map((host) => host.stats());
  const sum = (count: (stats: HostStats) => number): number =>
    allStats.reduce((total, stats) => total + count(stats), 0);
  const stats = {
    events: sum(({ events }) => events),
    hosts: hosts.length,
    streams: sum(({ connected }) => (connected ? 1 : 0)),
    orders: sum(({ orders }) => orders),
  };
  return {
    version: VERSION,
    hostId: '',
    bootId: '',
    mode: '',
    pid: process.pid,
    uptimeS: Math.round(process.uptime()),
    rssBytes: process.memoryUsage.rss(),
    processes: processesOf([process.pid]),
    bus: { usedBytes: 0, maxBytes: 0, full: false },
    services: [{ name: 'collector', lag: sum(({ spooled }) => spooled), stats }],
  };
}

try {
  await main(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(`ringfence: simulated hosts: ${explainError(error)}\n`);
  process.exitCode = 1;
}
await exitAfterFlush();
