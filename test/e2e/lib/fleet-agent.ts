import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { createAgentControl } from '@ringfence/collector/sensorless';
import { type ControlLink, connectControl } from '@ringfence/control';
import type { Control } from '@ringfence/control/port';
import {
  FleetStanding,
  type Identity,
  identityPaths,
  standingPath,
  TrustedKeys,
  watchCertificates,
} from '@ringfence/identity';
import type { Interest } from '@ringfence/interest';
import { EVIDENCE_BOOT, SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { createLogger } from '@ringfence/telemetry';
import { decode, type Result, TOPIC } from '@ringfence/wire';

export interface FleetAgentOptions {
  readonly identity: Identity;
  /** Directory of the identity and the state of the agent. */
  readonly directory: string;
  readonly brokers: readonly string[];
  readonly endpoints: readonly string[];
}

/** A running process and its representation in the events of the host. */
export interface ReportedProcess {
  readonly child: ChildProcess;
  readonly process: SyntheticProcess;
}

const CGROUP = 77n;
const BOOTED_US = 3_600_000_000;
const log = createLogger({ level: 'silent' });

/** A simulated host with the control of a real agent: a kill command kills the real process that it names. */
export class FleetAgent implements AsyncDisposable {
  readonly hostId: string;
  readonly host: SyntheticHost;
  /** Results returned, in order. */
  readonly results: Result[] = [];
  readonly directory: string;
  bus!: Bus;
  readonly #options: FleetAgentOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #running = new Map<number, SyntheticProcess>();
  #link!: ControlLink;

  constructor(options: FleetAgentOptions) {
    const { identity, directory } = options;
    this.#options = options;
    this.hostId = identity.subject;
    this.directory = directory;
    this.host = new SyntheticHost({
      ...{ hostId: this.hostId, bootId: EVIDENCE_BOOT, key: identity.signingKey, step: 1 },
      run: randomBytes(8).readBigUInt64LE(),
      ktime: BOOTED_US,
      wallOffset: Date.now() * 1000 - BOOTED_US,
    });
    this.host.container({ cgroup: CGROUP, path: '/rf-test', id: 'test' });
  }

  async start(): Promise<void> {
    const { brokers, endpoints, identity } = this.#options;
    const files = identityPaths(join(this.directory, 'identity'));
    const tls = { ca: files.authority, cert: files.certificate, key: files.key };
    this.bus = this.#stack.use(await openKafkaBus({ brokers, tls, clientId: this.hostId }));
    const path = standingPath(join(this.directory, 'identity'));
    const standing = new FleetStanding(identity.root, { path });
    const trusted = new TrustedKeys(identity.root, 'responder', standing);
    this.#link = this.#stack.use(
      connectControl({
        ...{ endpoints, trusted, standing, bootId: EVIDENCE_BOOT, agentVersion: 'test', log },
        ...{ backoffMs: 100, maxBackoffMs: 1000 },
        tls: this.#stack.use(watchCertificates(files)),
        control: this.#control(trusted),
      }),
    );
  }

  #control(trusted: TrustedKeys): Control {
    const control = createAgentControl({
      ...{ hostId: this.hostId, bootId: EVIDENCE_BOOT, trustedKeys: trusted, log },
      stateDir: this.directory,
      killsPerMinute: 10_000,
      find: (tgid) => {
        const start = this.#running.get(tgid)?.start;
        return start === undefined ? null : { tgid, start, parentTgid: process.pid, executable: '/usr/bin/sleep' };
      },
      list: () => [],
      isProtected: () => null,
      setInterest: () => {},
    });
    const execute = async (command: Uint8Array): Promise<Uint8Array> => {
      const answer = await control.execute(command);
      this.results.push(decode('Result', answer));
      return answer;
    };
    const setInterest = async ({ version }: Interest): Promise<void> => {
      this.host.interestVersion = version;
    };
    return { hostId: this.hostId, execute, setInterest };
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  /** Starts a real process and reports it in the events of the host, with `mark` in its arguments. */
  startReported(mark: string): ReportedProcess {
    const child = spawn('sleep', ['3600'], { stdio: 'ignore' });
    const { pid } = child;
    if (pid === undefined) throw new Error('sleep was not started');
    this.#stack.defer(() => void child.kill('SIGKILL'));
    this.syncClock();
    const reported = this.host.fork(this.host.init, { pid, cgroup: CGROUP });
    this.#running.set(pid, reported);
    this.host.exec(reported, '/usr/bin/sleep', { argv: ['sleep', mark] });
    return { child, process: reported };
  }

  /** Sets the clock of the host to the current time. */
  syncClock(): void {
    const { host } = this;
    host.ktime = Math.max(host.ktime, Date.now() * 1000 - host.wallOffset);
  }

  /** Signs and sends the pending events. Returns the batch. */
  async send(): Promise<Buffer> {
    const value = this.host.batch();
    await this.bus.produce([{ topic: TOPIC.raw, key: this.hostId, value }]);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Waits until the process exits and returns the signal that ended it. */
export async function exitSignal({ child }: ReportedProcess): Promise<string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode;
}

export const isAlive = ({ child }: ReportedProcess): boolean => child.exitCode === null && child.signalCode === null;
