/** Settings of a topic, with Kafka's names and values. */
export type TopicSettings = Readonly<Record<string, string>>;

export interface TopicState {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly settings: TopicSettings;
}

export type AclResource = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'other';
export type AclOperation = 'read' | 'write' | 'create' | 'describe' | 'describe-configs' | 'alter' | 'all' | 'other';

/** An entry of the brokers' access list (ACL). */
export interface AccessEntry {
  /** For example `User:enricher`. */
  readonly principal: string;
  /** Address of the client, or `*` for any. */
  readonly host: string;
  readonly resource: AclResource;
  readonly name: string;
  /** `prefixed` means all resources whose names begin with `name`. */
  readonly pattern: 'literal' | 'prefixed';
  readonly operation: AclOperation;
  readonly permission: 'allow' | 'deny';
}

/** The topics and access entries that the brokers should have. */
export interface Desired {
  readonly topics: readonly TopicState[];
  readonly access: readonly AccessEntry[];
  /** Beginning of the principals whose entries the registrar manages; '' for none. */
  readonly managedPrincipals: string;
}

/** The desired topics that exist, and all access entries. */
export interface Actual {
  readonly topics: readonly TopicState[];
  /** null when the brokers have no authorizer, so that every client may do everything. */
  readonly access: readonly AccessEntry[] | null;
}

/** A change that `applyPlan` makes. */
export type Change =
  | { readonly kind: 'create-topic'; readonly topic: TopicState }
  | {
      readonly kind: 'alter-setting';
      readonly topic: string;
      readonly setting: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'add-access'; readonly entry: AccessEntry };

/** A difference that an operator has to resolve. `why` has the reason and the remedy. */
export interface ByHand {
  readonly topic: string;
  readonly setting: 'partitions' | 'replicas';
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

export interface Plan {
  readonly changes: readonly Change[];
  readonly byHand: readonly ByHand[];
  /** Access entries for topics and groups of this fleet that are not desired. They are reported and kept. */
  readonly foreignAccess: readonly AccessEntry[];
  /** false when the brokers have no authorizer. */
  readonly accessChecked: boolean;
}
