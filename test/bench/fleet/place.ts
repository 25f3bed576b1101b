import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AuditorStats } from '@ringfence/auditor';
import type { KafkaBus } from '@ringfence/bus-kafka';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { withAdmin } from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';
import type { DetectorStats } from '@ringfence/detector';
import type { EnricherStats } from '@ringfence/enricher';
import { createAuthority } from '@ringfence/identity';
import { kafkaOptionsOf } from '@ringfence/runtime/fleet';
import type { Status } from '@ringfence/runtime/status';
import {
  createAdminConfig,
  createTopics,
  freePort,
  type Member,
  type MemberOptions,
  Members,
  type Servers,
  startServers,
} from '@ringfence/simulator';
import { TOPIC } from '@ringfence/wire';
import { BenchError } from '../lib/errors.ts';
import { interrupted } from '../lib/interrupt.ts';
import { type BenchOptions, profilePath } from '../lib/options.ts';
import type { Report } from '../lib/report.ts';
import { cpuSeconds } from '../lib/usage.ts';

const PROFILE_HOOK = fileURLToPath(new URL('../profile-hook.ts', import.meta.url));
/** Each look asks the brokers for the ends of all partitions. */
const POLL_MS = 400;

/** What all services of a name have counted, together. */
export interface Counts {
  readonly enricher: EnricherStats;
  readonly detector: DetectorStats;
  readonly auditor: AuditorStats;
  /** records that are not committed, of all groups */
  readonly lag: number;
}

/** A fleet to be measured: its servers, its members, what each of their processes has cost. */
export class Place implements AsyncDisposable {
  readonly servers: Servers;
  readonly members: Members;
  readonly adminConfig: Config;
  readonly adminFile: string;
  readonly authority: string;
  readonly bus: KafkaBus;
  readonly #options: BenchOptions;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<Place, 'servers' | 'members' | 'adminConfig' | 'adminFile' | 'authority' | 'bus'>,
    options: BenchOptions,
    stack: AsyncDisposableStack,
  ) {
    ({ servers: this.servers, members: this.members, bus: this.bus } = parts);
    ({ adminConfig: this.adminConfig, adminFile: this.adminFile, authority: this.authority } = parts);
    this.#options = options;
    this.#stack = stack;
  }

  /** Servers, topics and a registrar; the services join later. */
  static async start(dir: string, options: BenchOptions, report: Report): Promise<Place> {
    const directory = mkdtempSync(join(dir, 'fleet-'));
    mkdirSync(directory, { recursive: true });
    await using stack = new AsyncDisposableStack();
    const path = join(directory, 'authority');
    const authority = await createAuthority(path);
    const servers = stack.use(
      await startServers({
        brokers: 1,
        authority,
        optimized: true,
        onStep: (what) => report.say(`  starting ${what}`),
      }),
    );
    const adminConfig = await createAdminConfig(directory, authority, servers);
    await createTopics(adminConfig);
    const members = stack.use(new Members(directory, servers));
    await members.startRegistrar(await freePort(), path);
    const bus = stack.use(await openKafkaBus({ ...kafkaOptionsOf(adminConfig), clientId: 'bench' }));
    const adminFile = join(directory, 'admin/ringfence.yaml');
    return new Place({ servers, members, adminConfig, adminFile, authority: path, bus }, options, stack.move());
  }

  async join(options: MemberOptions): Promise<Member> {
    const profile = profilePath(this.#options, options.name);
    if (profile === null) return this.members.join(options);
    const before = [...process.execArgv];
    process.execArgv.push('--import', PROFILE_HOOK);
    process.env['BENCH_PROFILE'] = profile;
    try {
      return await this.members.join(options);
    } finally {
      process.execArgv.splice(0, process.execArgv.length, ...before);
      delete process.env['BENCH_PROFILE'];
    }
  }

  /** Throws when there is none. */
  member(name: string): Member {
    const found = this.members.all.find((one) => one.name === name);
    if (found === undefined) throw new BenchError('ERR_BENCH_SETUP', `there is no member ${name}`);
    return found;
  }

  /** Starts CPU profiles, and writes them at the second call. */
  toggleProfiles(): void {
    if (this.#options.profileDir === null) return;
    for (const { pid, name } of this.members.all)
      if (pid !== undefined && name !== 'registrar') process.kill(pid, 'SIGUSR2');
  }

  /** CPU seconds so far, by what the process is. */
  cpu(): Map<string, number> {
    const { kafka, redis, search } = this.servers;
    const pids: (readonly [string, number | undefined])[] = [
      ['Kafka', kafka.brokers[0]?.pid],
      ['Redis', redis.pid],
      ['Elasticsearch', search.pid],
      ...this.members.all.map(({ name, pid }) => [name, pid] as const),
    ];
    return new Map(pids.flatMap(([name, pid]) => (pid === undefined ? [] : [[name, cpuSeconds(pid)] as const])));
  }

  async counts(): Promise<Counts> {
    const running = this.members.all.filter(({ pid, name }) => pid !== undefined && name !== 'registrar');
    const all = await Promise.all(
      running.map(({ client }) =>
        client.json<Status>('/status', AbortSignal.any([interrupted, AbortSignal.timeout(60_000)])),
      ),
    );
    const services = all.flatMap((status) => status.services);
    const added = <T>(name: string): T => {
      const total: Record<string, unknown> = {};
      for (const { stats } of services.filter((service) => service.name === name))
        for (const [key, value] of Object.entries(stats as object))
          total[key] = typeof value === 'number' ? ((total[key] as number | undefined) ?? 0) + value : value;
      return total as T;
    };
    const lag = services.reduce((sum, service) => sum + (service.name === 'collector' ? 0 : service.lag), 0);
    return { enricher: added('enricher'), detector: added('detector'), auditor: added('auditor'), lag };
  }

  /** Until nothing waits and the detector has seen `events` more than `before`. Rejects with BenchError after `atMostMs`. */
  async drain(before: Counts, events: number, atMostMs = 300_000): Promise<Counts> {
    for (const began = performance.now(); ; ) {
      const counts = await this.counts();
      if (counts.lag === 0 && counts.detector.events - before.detector.events >= events) return counts;
      if (performance.now() - began > atMostMs)
        throw new BenchError('ERR_BENCH_AGENT', `not worked off after ${atMostMs / 1000} s: ${JSON.stringify(counts)}`);
      await sleep(POLL_MS);
    }
  }

  /** Bytes that the broker holds, by topic. */
  async bytesByTopic(): Promise<ReadonlyMap<string, number>> {
    const bytes = new Map<string, number>();
    await withAdmin(kafkaOptionsOf(this.adminConfig), async (admin) => {
      const topics = Object.values(TOPIC);
      const { topics: known } = await admin.metadata({
        topics: [...topics, 'ringfence.state.enricher', 'ringfence.state.detector'],
      });
      const asked = [...known].map(([name, { partitionsCount }]) => ({
        name,
        partitions: Array.from({ length: partitionsCount }, (_, i) => i),
      }));
      for (const { results } of await admin.describeLogDirs({ topics: asked }))
        for (const { topics: found } of results)
          for (const { name, partitions } of found)
            bytes.set(
              name,
              (bytes.get(name) ?? 0) + partitions.reduce((sum, { partitionSize }) => sum + Number(partitionSize), 0),
            );
    });
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
