import { getSystemErrorName } from 'node:util';

export type CollectorErrorCode =
  /** Another agent runs on this host. Stop the process that the message names first. */
  | 'ERR_COLLECTOR_SECOND_AGENT'
  /**
   * A system call of the agent failed. Check the errno in the message, and the capabilities with `ringfence doctor`.
   */
  | 'ERR_COLLECTOR_SYSTEM_CALL'
  /**
   * The sensor can't be loaded, attached or pinned. See `ringfence doctor`, which names what this kernel or user
   * lacks.
   */
  | 'ERR_COLLECTOR_SENSOR'
  /** The spool can't be read or written; records stay in the rings. Check the disk and the rights of `stateDir`. */
  | 'ERR_COLLECTOR_SPOOL'
  /** An option of the collector is out of bounds. Correct the option that the message names. */
  | 'ERR_COLLECTOR_OPTIONS'
  /** A user-defined probe is wrong or can't be set. Check its file with `ringfence probes check`. */
  | 'ERR_COLLECTOR_PROBE'
  /**
   * The file is missing, changed, or no baseline of `ringfence fim`. Make it anew with `ringfence fim baseline`, or
   * find out who changed it.
   */
  | 'ERR_COLLECTOR_BASELINE'
  /** The collector was used after it had been closed. Start another one; report it as a bug if a service did this. */
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
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_COLLECTOR_SENSOR', message, options);
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
