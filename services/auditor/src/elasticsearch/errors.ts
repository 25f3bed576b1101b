import { AuditError } from '../errors.ts';

/** The cluster is away, slow, full, read-only, or refuses us: the bus keeps the records until it answers. */
export class ClusterUnavailableError extends AuditError {
  readonly fate = 'retriable';
  /** of the answer; 0: there was none */
  readonly status: number;
  constructor(what: string, status: number, reason: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_CLUSTER',
      `${what}: ${reason}${status === 0 ? '' : ` (${status})`}; what is not stored yet stays on the bus and is tried again: ${adviceFor(status)}`,
      options,
    );
    this.status = status;
  }
}

function adviceFor(status: number): string {
  if (status === 0) return 'is the cluster up, and does auditor.elasticsearch.nodes name it?';
  if (status === 401) return 'check user and password, or the API key, under auditor.elasticsearch';
  if (status === 403) return 'lift the write block, or give the user the rights in deploy/elasticsearch/README.md';
  return "look at the cluster's health, disk and write queues";
}

/** An answer that no repetition can mend: a cluster of another kind, a name that is taken, a bug. */
export class ClusterRequestError extends AuditError {
  readonly status: number;
  constructor(what: string, status: number, reason: string, options?: ErrorOptions) {
    super('ERR_AUDIT_CLUSTER_REQUEST', `${what}: ${reason} (${status})`, options);
    this.status = status;
  }
}

/** The cluster can't be used as it is set up. */
export class ClusterSetupError extends AuditError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_AUDIT_CLUSTER_SETUP', message, options);
  }
}

/** A document that the cluster will never take. The record itself is in the audit stream, whole. */
export class DocumentRejectedError extends AuditError {
  readonly index: string;
  /** documents of the same record that were refused */
  readonly count: number;
  constructor(index: string, count: number, reason: string) {
    super(
      'ERR_AUDIT_REJECTED',
      `${index} refused ${count === 1 ? 'a document' : `${count} documents`} of this record: ${reason}; the record itself is in the audit stream: mend the index's mapping`,
    );
    this.index = index;
    this.count = count;
  }
}
