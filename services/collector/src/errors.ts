import { getSystemErrorName } from 'node:util';

export type CollectorErrorCode =
  | 'ERR_COLLECTOR_SECOND_AGENT'
  | 'ERR_COLLECTOR_SYSTEM_CALL'
  | 'ERR_COLLECTOR_SENSOR'
  | 'ERR_COLLECTOR_SPOOL'
  | 'ERR_COLLECTOR_OPTIONS'
  | 'ERR_COLLECTOR_PROBE'
  | 'ERR_COLLECTOR_BASELINE'
  | 'ERR_COLLECTOR_CLOSED';

export class CollectorError extends Error {
  readonly code: CollectorErrorCode;

  constructor(code: CollectorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** One agent per host: two would take each other's records out of the rings. */
export class SecondAgentError extends CollectorError {
  readonly path: string;
  /** 0: could not be found out */
  readonly pid: number;

  constructor(path: string, pid: number) {
    const who = pid === 0 ? 'another process' : `process ${pid}`;
    super('ERR_COLLECTOR_SECOND_AGENT', `${path} is in use by ${who}: one agent runs per host. Stop that one first`);
    this.path = path;
    this.pid = pid;
  }
}

export class SystemCallError extends CollectorError {
  readonly call: string;
  readonly errno: number;
  readonly errnoName: string;

  constructor(call: string, errno: number) {
    const name = getSystemErrorName(-errno);
    super('ERR_COLLECTOR_SYSTEM_CALL', `${call} failed with ${name}`);
    this.call = call;
    this.errno = errno;
    this.errnoName = name;
  }
}

/** The sensor can't be loaded, attached or pinned. */
export class SensorError extends CollectorError {
  /** This kernel does not have what the sensor would watch there. */
  readonly absent: boolean;

  constructor(message: string, { absent = false, ...options }: ErrorOptions & { readonly absent?: boolean } = {}) {
    super('ERR_COLLECTOR_SENSOR', message, options);
    this.absent = absent;
  }
}

/** The spool can't be read or written. What is in the rings stays there. */
export class SpoolError extends CollectorError {
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super('ERR_COLLECTOR_SPOOL', `${path}: ${message}`, options);
    this.path = path;
  }
}
