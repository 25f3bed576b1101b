import { createHash } from 'node:crypto';
import type { Config } from '@ringfence/config';
import {
  type Action,
  type ForwarderStats,
  type Operator,
  OperatorForwarder,
  OperatorLog,
  operatorOfProcess,
  SERVICE,
} from '@ringfence/operators';
import type { AppLog } from '@ringfence/telemetry';
import type { Deployment } from './deployment/deployment.ts';

/** The records of what people do with this `up`. */
export interface OperatorRecords extends AsyncDisposable {
  /** Resolves to the id of the record when it is in the log of this host. Rejects with OperatorError. */
  record(action: Action, operator: Operator): Promise<string>;
  /** Records what this process has put in force by itself. Logs an error when that fails: protection goes on. */
  note(action: Action, operator?: Operator): Promise<void>;
  /** Null where nothing may write the topic, as in a process of an agent alone */
  stats(): ForwarderStats | null;
}

/** Where the state directory can't be written, services run, and actions of operators are refused. */
export function openOperatorRecords(config: Config, deployment: Deployment, log: AppLog): OperatorRecords {
  try {
    return recordsIn(new OperatorLog({ stateDir: config.stateDir }), config, deployment, log);
  } catch (err) {
    log.error({ err }, 'the operator log can not be opened: this process refuses actions of operators');
    const record = (): Promise<never> => Promise.reject(err);
    return { record, note: async () => {}, stats: () => null, [Symbol.asyncDispose]: async () => {} };
  }
}

function recordsIn(operatorLog: OperatorLog, config: Config, deployment: Deployment, log: AppLog): OperatorRecords {
  // Every role but an agent's may write the topic; a log that waits is forwarded by the next process that may.
  const mayForward = deployment.fleet === null || config.services.some((service) => service !== 'collector');
  const { bus, serviceKey: key } = deployment;
  const forwarder = mayForward ? new OperatorForwarder(operatorLog, { bus, key, log }) : null;
  const record = async (action: Action, operator: Operator): Promise<string> => {
    const id = await operatorLog.append(action, operator);
    void forwarder?.flush();
    return id;
  };
  return {
    record,
    note: (action, operator = SERVICE) =>
      record(action, operator).then(noop, (err: unknown) => {
        log.error({ err, action: action.action }, 'what was put in force has no record of an operator');
      }),
    stats: () => forwarder?.stats() ?? null,
    [Symbol.asyncDispose]: async () => forwarder?.[Symbol.asyncDispose](),
  };
}

const noop = (): void => {};

const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** What a start puts in force, as hashes that show whether two starts differ. Secrets are left out. */
export function startAction(config: Config, version: string, content: Readonly<Record<string, unknown>>): Action {
  const settings = JSON.stringify(config, (key, value: unknown) =>
    /password|apiKey|token|secret/i.test(key) && typeof value === 'string' ? '' : value,
  );
  const hashes = Object.entries(content).map(([name, value]) => [`${name}.sha256`, digestOf(value)]);
  return {
    action: 'settings.start',
    target: config.services.join(','),
    details: { version, 'settings.sha256': digestOf(settings), ...Object.fromEntries(hashes) },
  };
}

/** Who started this process. */
export const starter = (): Operator => ({ ...operatorOfProcess(), origin: 'service' });

/** The files of rules that were put in force while services run. */
export const reloadAction = (sources: readonly { readonly name: string; readonly text: string }[]): Action => ({
  action: 'rules.reload',
  details: { 'rules.sha256': digestOf(sources), files: String(sources.length) },
});
