import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { ActionRunner, killKind, type ProcessDeps, protectionNow, resumeKind, suspendKind } from '@ringfence/response';
import { factsAt, type ProcessFacts, type Sensor } from '@ringfence/sensor';
import type { CompiledOptions } from '../config.ts';
import { HOST_CLOCK } from './validity.ts';

/** A tree or cgroup of more processes is most of a host rather than an attack. */
const PROCESSES_MAX = 5000;
/** Processes that have not ended by then wait in the kernel. */
const LEFT_AFTER_MS = 5000;

export interface ActionDeps {
  readonly options: Pick<CompiledOptions, 'stateDir' | 'hostRoot' | 'protected'>;
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

/** Returns what carries out the actions beyond the kill of one process. */
export function createActions({ options, sensor, log }: ActionDeps): ActionRunner {
  const { stateDir, hostRoot, protected: added } = options;
  const { dooms } = sensor;
  const processes: Omit<ProcessDeps, 'dooms'> = {
    ...hostProcesses(sensor),
    protection: (find) => protectionNow(find, { root: join(hostRoot, '/'), added }),
    processesMax: PROCESSES_MAX,
    deadlineMs: LEFT_AFTER_MS,
  };
  return new ActionRunner({
    kinds: dooms === null ? [] : [killKind({ ...processes, dooms }), suspendKind({ ...processes, dooms })],
    directory: join(stateDir, 'actions'),
    log,
    now: HOST_CLOCK.realtime,
  });
}

/** Returns what takes actions back where no agent runs. It knows no process but those that its plans found. */
export function offlineActions(stateDir: string, log: Log): ActionRunner {
  return new ActionRunner({
    kinds: [resumeKind()],
    directory: join(stateDir, 'actions'),
    log,
    now: HOST_CLOCK.realtime,
  });
}
