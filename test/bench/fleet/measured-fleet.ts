import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AuditorStats } from '@ringfence/auditor';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
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
/** Each poll asks the brokers for the ends of all partitions. */
const POLL_MS = 400;

/** Counters of all members of a service, summed up */
export interface Counts {
  readonly enricher: EnricherStats;
  readonly detector: DetectorStats;
  readonly auditor: AuditorStats;
  /** Uncommitted records of all groups */
  readonly lag: number;
}

/** A fleet with its servers and members, and the CPU time of each process */
export class MeasuredFleet implements AsyncDisposable {
  readonly servers: Servers;
  readonly members: Members;
  readonly adminConfig: Config;
  readonly adminFile: string;
  readonly authority: string;
  readonly bus: KafkaBus;
  readonly #options: BenchOptions;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<MeasuredFleet, 'servers' | 'members' | 'adminConfig' | 'adminFile' | 'authority' | 'bus'>,
    options: BenchOptions,
    stack: AsyncDisposableStack,
  ) {
    ({ servers: this.servers, members: this.members, bus: this.bus } = parts);
    ({ adminConfig: this.adminConfig, adminFile: this.adminFile, authority: this.authority } = parts);
    this.#options = options;
    this.#stack = stack;
  }

  /** Starts the servers, makes the topics and starts a registrar. The services join later. */
  static async start(dir: string, options: BenchOptions, report: Report): Promise<MeasuredFleet> {
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
        onStep: (step) => report.print(`  starting ${step}`),
      }),
    );
    const adminConfig = await createAdminConfig(directory, authority, servers);
    await createTopics(adminConfig);
    const members = stack.use(new Members(directory, servers));
    await members.startRegistrar(await freePort(), path);
    const bus = stack.use(await openKafkaBus({ ...kafkaOptionsOf(adminConfig), clientId: 'bench' }));
    const adminFile = join(directory, 'admin/ringfence.yaml');
    return new MeasuredFleet({ servers, members, adminConfig, adminFile, authority: path, bus }, options, stack.move());
  }

  /** Starts a member, with the profile hook under --profile. */
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

  /** Throws BenchError when there is no member of this name. */
  member(name: string): Member {
    const member = this.members.all.find((candidate) => candidate.name === name);
    if (member === undefined) throw new BenchError('ERR_BENCH_SETUP', `there is no member ${name}`);
    return member;
  }

  /** Starts CPU profiles, and writes them at the second call. */
  toggleProfiles(): void {
    if (this.#options.profileDir === null) return;
    for (const { pid, name } of this.members.all)
      if (pid !== undefined && name !== 'registrar') process.kill(pid, 'SIGUSR2');
  }

  /** Returns the CPU seconds of each process since its start, by name. */
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

  /** Asks all members for their counters. */
  async counts(): Promise<Counts> {
    const running = this.members.all.filter(({ pid, name }) => pid !== undefined && name !== 'registrar');
    const all = await Promise.all(
      running.map(({ client }) =>
        client.json<Status>('/status', AbortSignal.any([interrupted, AbortSignal.timeout(60_000)])),
      ),
    );
    const services = all.flatMap((status) => status.services);
    const summed = <T>(name: string): T => {
      const total: Record<string, unknown> = {};
      for (const { stats } of services.filter((service) => service.name === name))
        for (const [key, value] of Object.entries(stats as object))
          total[key] = typeof value === 'number' ? ((total[key] as number | undefined) ?? 0) + value : value;
      return total as T;
    };
    const lag = services.reduce((sum, service) => sum + (service.name === 'collector' ? 0 : service.lag), 0);
    return { enricher: summed('enricher'), detector: summed('detector'), auditor: summed('auditor'), lag };
  }

  /**
   * Waits until no record is uncommitted and the detector has processed `events` more than `before`. Rejects with
   * BenchError after `maxMs`.
   */
  async drain(before: Counts, events: number, maxMs = 300_000): Promise<Counts> {
    for (const began = performance.now(); ; ) {
      const counts = await this.counts();
      if (counts.lag === 0 && counts.detector.events - before.detector.events >= events) return counts;
      if (performance.now() - began > maxMs)
        throw new BenchError(
          'ERR_BENCH_AGENT',
          `the backlog is not processed after ${maxMs / 1000} s: ${JSON.stringify(counts)}`,
        );
      await sleep(POLL_MS);
    }
  }

  /** Returns the bytes that the broker stores, by topic. */
  async bytesByTopic(): Promise<ReadonlyMap<string, number>> {
    const bytes = new Map<string, number>();
    await withAdmin(kafkaOptionsOf(this.adminConfig), async (admin) => {
      const topics = Object.values(TOPIC);
      const { topics: known } = await admin.metadata({
        topics: [...topics, 'ringfence.state.enricher', 'ringfence.state.detector'],
      });
      const requested = [...known].map(([name, { partitionsCount }]) => ({
        name,
        partitions: Array.from({ length: partitionsCount }, (_, i) => i),
      }));
      for (const { results } of await admin.describeLogDirs({ topics: requested }))
        for (const { topics: stored } of results)
          for (const { name, partitions } of stored)
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
