import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import {
  ActionRunner,
  type AnyKind,
  collectKind,
  EvidenceStore,
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
  readonly options: Pick<CompiledOptions, 'stateDir' | 'hostRoot' | 'protected' | 'actions'>;
  /** Signs the evidence */
  readonly identity: Pick<CollectorIdentity, 'key'>;
  readonly sensor: Sensor;
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
}

/** Returns what carries out the actions beyond the kill of one process: those that the settings allow. */
export function createActions(deps: ActionDeps): Actions {
  const { options, log } = deps;
  using stack = new DisposableStack();
  const orders: Orders = { of: () => ({ who: '', why: '' }) };
  const kinds = [...processKinds(deps), ...fileKinds(options), ...evidenceKinds(deps, orders, stack)];
  const runner = stack.use(
    new ActionRunner({
      kinds: kinds.filter(({ name }) => options.actions.includes(name)),
      directory: join(options.stateDir, 'actions'),
      deadlineMs: DEADLINE_MS,
      log,
      now: HOST_CLOCK.realtime,
    }),
  );
  orders.of = (id) => runner.orderOf(id);
  const resources = stack.move();
  return { runner, [Symbol.dispose]: () => resources.dispose() };
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

/** Returns what takes actions back where no agent runs. It knows no process but those that its plans found. */
export function offlineActions(stateDir: string, log: Log): ActionRunner {
  return new ActionRunner({
    kinds: [resumeKind(), ...fileKinds({ stateDir, hostRoot: '/' })],
    directory: join(stateDir, 'actions'),
    log,
    now: HOST_CLOCK.realtime,
  });
}
