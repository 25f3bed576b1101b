/** Settings of a topic by Kafka's names, as the broker takes and gives them. */
export type TopicSettings = Readonly<Record<string, string>>;

export interface TopicState {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly settings: TopicSettings;
}

export type AclResource = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'other';
export type AclOperation = 'read' | 'write' | 'describe' | 'describe-configs' | 'all' | 'other';

/** One entry of the broker's access list. */
export interface AccessEntry {
  /** `User:enricher` */
  readonly principal: string;
  /** address it comes from; `*`: any */
  readonly host: string;
  readonly resource: AclResource;
  readonly name: string;
  /** `prefixed`: everything whose name begins with `name` */
  readonly pattern: 'literal' | 'prefixed';
  readonly operation: AclOperation;
  readonly permission: 'allow' | 'deny';
}

/** What the brokers should have. */
export interface Desired {
  readonly topics: readonly TopicState[];
  readonly access: readonly AccessEntry[];
}

/** What they have: topics that are desired and there, and every access entry. */
export interface Actual {
  readonly topics: readonly TopicState[];
  /** null: the brokers keep no access lists, so whoever reaches them may do everything */
  readonly access: readonly AccessEntry[] | null;
}

/** What apply does. */
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

/** What differs and apply does not touch: `why` says so, and what to do. */
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
  /** entries that concern our topics and groups and are not ours: left alone */
  readonly foreignAccess: readonly AccessEntry[];
  /** false: the brokers keep no access lists */
  readonly accessChecked: boolean;
}
