import { CodedError } from '@ringfence/base';

/** Error codes of the installation in Kibana; they are stable. */
export type KibanaErrorCode =
  /**
   * The address, the credentials or the authority for Kibana can't be used as given. Correct what the message names.
   */
  | 'ERR_KIBANA_SETTINGS'
  /** Kibana does not answer. Check the address, that Kibana runs, and its certificate (`--ca`). */
  | 'ERR_KIBANA_UNREACHABLE'
  /** Kibana does not know the user or the API key. Check the file or the environment variable that has the secret. */
  | 'ERR_KIBANA_CREDENTIALS'
  /** The user may not do this in Kibana. Grant the rights that docs/KIBANA.md lists. */
  | 'ERR_KIBANA_RIGHTS'
  /** This Kibana is older than 8.12. Upgrade it. */
  | 'ERR_KIBANA_VERSION'
  /**
   * The server is OpenSearch Dashboards, which has no Lens and can't draw these dashboards. Use a Kibana, or
   * `ringfence incidents`.
   */
  | 'ERR_KIBANA_OPENSEARCH'
  /** The server at the address is no Kibana, or a proxy in front of it answered. Check the address. */
  | 'ERR_KIBANA_ANSWER'
  /** Kibana refused an object. The message has its reason. */
  | 'ERR_KIBANA_REFUSED';

/** A problem with a Kibana that the operator can fix. The message ends with the code. */
export class KibanaError extends CodedError<KibanaErrorCode> {
  constructor(code: KibanaErrorCode, message: string, options?: ErrorOptions) {
    super(code, `${message} (${code})`, options);
  }
}
