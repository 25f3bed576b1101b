import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Barrier, barrierPins, removeBarrier } from '@ringfence/barrier';
import type { Log } from '@ringfence/base';
import {
  ActionRunner,
  type AnyKind,
  collectKind,
  EvidenceStore,
  goneKind,
  type JournalEntry,
  journalEntries,
  killKind,
  lockKind,
  type ProcessDeps,
  type ProtectionOptions,
  protection,
  protectionNow,
  quarantineKind,
  resumeKind,
  revertKind,
  suspendKind,
} from '@ringfence/response';
import { factsAt, type ProcessFacts, type Sensor } from '@ringfence/sensor';
import type { CompiledOptions } from '../config.ts';
import type { CollectorIdentity } from '../deps.ts';
import { networkKinds } from './network.ts';
import { HOST_CLOCK } from './validity.ts';

/** A tree or cgroup of more processes is most of a host rather than an attack. */
const PROCESSES_MAX = 5000;
/** Processes that have not ended by then wait in the kernel. */
const LEFT_AFTER_MS = 5000;

/** Bytes of the evidence store */
const EVIDENCE_BYTES_MAX = 20 * 2 ** 30;
/** A collection reads for 300 s at most, and then for 30 s more until its reading process has ended. */
const DEADLINE_MS = 360_000;

export interface ActionDeps {
  readonly options: Pick<
    CompiledOptions,
    'stateDir' | 'hostRoot' | 'protected' | 'actions' | 'sensorObject' | 'pinPath'
  >;
  /** Its key signs the evidence. */
  readonly identity: Pick<CollectorIdentity, 'key' | 'bootId'>;
  readonly sensor: Sensor;
  /** Root of the cgroup v2 hierarchy; null: there is none */
  readonly cgroupRoot: string | null;
  /** Pid of the process that runs the rest of this program */
  readonly partner?: number;
  readonly log: Log;
}

export interface HostProcesses {
  readonly find: (tgid: number) => ProcessFacts | null;
  readonly list: () => ProcessFacts[];
}

export function hostProcesses(sensor: Sensor): HostProcesses {
  return {
    find: (tgid) => sensor.process(tgid),
    list: () => {
      const processes = sensor.processes();
      return processes.offsets.map((at) => factsAt(processes, at));
    },
  };
}

/** What carries out the actions, with what they hold open. */
export interface Actions extends Disposable {
  readonly runner: ActionRunner;
  /** Null: there is nothing on the network that it could hold */
  readonly barrier: Barrier | null;
}

/** Returns what carries out the actions beyond the kill of one process: those that the settings allow. */
export function createActions(deps: ActionDeps): Actions {
  const { options, log } = deps;
  using stack = new DisposableStack();
  const orders: Orders = { of: () => ({ who: '', why: '' }) };
  const directory = join(options.stateDir, 'actions');
  const network = blockingKinds(deps, journalEntries(directory), stack);
  const kinds = [...processKinds(deps), ...fileKinds(options), ...evidenceKinds(deps, orders, stack), ...network.kinds];
  const runner = stack.use(
    new ActionRunner({
      kinds: kinds.filter(({ name }) => options.actions.includes(name)),
      directory,
      deadlineMs: DEADLINE_MS,
      log,
      now: HOST_CLOCK.realtime,
    }),
  );
  orders.of = (id) => runner.orderOf(id);
  const resources = stack.move();
  return { runner, barrier: network.barrier, [Symbol.dispose]: () => resources.dispose() };
}

function protectionOptions({ hostRoot, protected: added }: ActionDeps['options']): ProtectionOptions {
  return { root: join(hostRoot, '/'), added };
}

function processKinds({ options, sensor }: ActionDeps): AnyKind[] {
  const { dooms } = sensor;
  if (dooms === null) return [];
  const deps: ProcessDeps = {
    ...hostProcesses(sensor),
    dooms,
    protection: (find) => protectionNow(find, protectionOptions(options)),
    processesMax: PROCESSES_MAX,
    deadlineMs: LEFT_AFTER_MS,
  };
  return [killKind(deps), suspendKind(deps)];
}

function blockingKinds(
  { options, identity, sensor, cgroupRoot, partner, log }: ActionDeps,
  entries: readonly JournalEntry[],
  stack: DisposableStack,
): ReturnType<typeof networkKinds> {
  const processes = hostProcesses(sensor);
  const agents = [process.pid, ...(partner === undefined ? [] : [partner])].flatMap((pid) => {
    const found = processes.find(pid);
    return found === null ? [] : [{ pid, tgid: found.tgid, start: found.start }];
  });
  const isEnabled = ['block', 'isolate'].some((name) => options.actions.includes(name));
  const network = networkKinds(
    { ...options, cgroupRoot, boot: identity.bootId, agents, isEnabled, entries, log },
    processes,
  );
  if (network.barrier !== null) stack.use(network.barrier);
  return network;
}

/** The actions that need no sensor, which `respond panic` takes back without an agent too. */
function fileKinds({ stateDir, hostRoot }: Pick<CompiledOptions, 'stateDir' | 'hostRoot'>): AnyKind[] {
  const vault = join(stateDir, 'vault');
  const systemctl = existsSync(join(hostRoot, 'run/systemd/system')) ? ['systemctl'] : null;
  return [quarantineKind({ vault }), revertKind({ vault, hostRoot, systemctl }), lockKind({ hostRoot })];
}

/** Says who ordered a command, and why. */
interface Orders {
  of: (command: string) => { readonly who: string; readonly why: string };
}

function evidenceKinds({ options, identity, sensor }: ActionDeps, orders: Orders, stack: DisposableStack): AnyKind[] {
  if (!options.actions.includes('collect')) return [];
  const directory = join(options.stateDir, 'evidence');
  const store = stack.use(new EvidenceStore({ directory, key: identity.key, maxBytes: EVIDENCE_BYTES_MAX }));
  const { find } = hostProcesses(sensor);
  const isProtected = protection(find, protectionOptions(options));
  return [collectKind({ store, find, isProtected, orderOf: (command) => orders.of(command) })];
}

/**
 * Returns what takes actions back where no agent runs. It knows no process but those that its plans found. The rules of
 * the network are gone when it is made.
 */
export function offlineActions({ stateDir, pinPath }: { stateDir: string; pinPath: string }, log: Log): ActionRunner {
  if (existsSync(barrierPins(pinPath))) removeBarrier(barrierPins(pinPath));
  return new ActionRunner({
    kinds: [resumeKind(), ...fileKinds({ stateDir, hostRoot: '/' }), goneKind('block'), goneKind('isolate')],
    directory: join(stateDir, 'actions'),
    log,
    now: HOST_CLOCK.realtime,
  });
}
