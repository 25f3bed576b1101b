import { AuditError } from '../errors.ts';

/** The cluster is unreachable, slow, full, read-only or refuses the request. The bus keeps the records. */
export class ClusterUnavailableError extends AuditError {
  readonly fate = 'retriable';
  /** HTTP status; 0 when there was no response */
  readonly status: number;
  constructor(operation: string, status: number, reason: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_CLUSTER',
      `${operation}: ${reason}${status === 0 ? '' : ` (${status})`}; records not stored yet stay on the bus and are retried: ${adviceFor(status)}`,
      options,
    );
    this.status = status;
  }
}

function adviceFor(status: number): string {
  if (status === 0) return 'check that the cluster runs and that auditor.elasticsearch.nodes is right';
  if (status === 401) return 'check user and password, or the API key, under auditor.elasticsearch';
  if (status === 403) return 'remove the write block, or grant the user the rights in deploy/elasticsearch/README.md';
  return "check the cluster's health, disk and write queues";
}

/** An error that a retry cannot fix: the wrong kind of cluster, a name that is taken, a bug. */
export class ClusterRequestError extends AuditError {
  readonly status: number;
  constructor(operation: string, status: number, reason: string, options?: ErrorOptions) {
    super('ERR_AUDIT_CLUSTER_REQUEST', `${operation}: ${reason} (${status})`, options);
    this.status = status;
  }
}

/** The cluster cannot be used with its current setup. */
export class ClusterSetupError extends AuditError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_AUDIT_CLUSTER_SETUP', message, options);
  }
}

/** The cluster rejected a document permanently. The record itself is stored in the audit stream. */
export class DocumentRejectedError extends AuditError {
  readonly index: string;
  /** Number of rejected documents of the record */
  readonly count: number;
  constructor(index: string, count: number, reason: string) {
    super(
      'ERR_AUDIT_REJECTED',
      `${index} rejected ${count === 1 ? 'a document' : `${count} documents`} of this record: ${reason}; the record itself is in the audit stream: fix the index mapping`,
    );
    this.index = index;
    this.count = count;
  }
}
