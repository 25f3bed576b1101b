import { CodedError } from '@ringfence/base';

export type SensorErrorCode =
  /** The sensor can't be loaded, attached or pinned. `ringfence doctor` names what is missing. */
  | 'ERR_COLLECTOR_SENSOR'
  /** Another agent runs on this host and holds the directory. Stop that agent first. */
  | 'ERR_COLLECTOR_SECOND_AGENT'
  /** A user-defined probe is invalid. The message names its file and the mistake; `ringfence probes check` tests it. */
  | 'ERR_COLLECTOR_PROBE';

/** The sensor can't be loaded, attached or pinned. */
export class SensorError extends CodedError<SensorErrorCode> {
  /** Whether this kernel lacks the facility that the sensor would observe there. */
  readonly absent: boolean;

  constructor(message: string, { absent = false, ...options }: ErrorOptions & { readonly absent?: boolean } = {}) {
    super('ERR_COLLECTOR_SENSOR', message, options);
    this.absent = absent;
  }
}

/** Only one agent may run per host: two agents would take each other's records from the rings. */
export class SecondAgentError extends CodedError<SensorErrorCode> {
  readonly path: string;
  /** 0 if the process could not be determined */
  readonly pid: number;

  constructor(path: string, pid: number) {
    const holder = pid === 0 ? 'another process' : `process ${pid}`;
    super('ERR_COLLECTOR_SECOND_AGENT', `${path} is in use by ${holder}: one agent runs per host. Stop that one first`);
    this.path = path;
    this.pid = pid;
  }
}
