/** What the detector counts. All only grow, but for `chains` and what is said of the rules. */
export interface DetectorStats {
  batches: number;
  events: number;
  /** events whose number had been seen: redeliveries, dropped */
  duplicates: number;
  /** alerts sent */
  alerts: number;
  /** repetitions that are only counted in their incident */
  suppressed: number;
  /** incidents, each when its first version was sent */
  opened: number;
  /** versions of incidents sent */
  incidents: number;
  /** chains closed for lack of room */
  evicted: number;
  /** processes that a full chain could not take */
  omittedEntities: number;
  /** ends of connections and keys said on ringfence.edges */
  edges: number;
  /** connections that a chain had no room for, or too many of one process */
  omittedEdges: number;
  /** processes of which it can't be told which connection they were started for */
  ambiguousAccepts: number;
  /** connections, logins and files that somebody wrote and ran, forgotten for lack of room */
  forgottenConnections: number;
  /** keys and combinations that rules forgot for lack of room */
  forgottenKeys: number;
  /** events that came later than the order of a sequence waits */
  lateEvents: number;
  /** entries of what rules remembered that could not be read when they were restored: dropped */
  damagedEntries: number;
  /** alerts that `suppress` or `throttle` of their rule held back */
  heldAlerts: number;
  /** Joins taken, and sent */
  joins: number;
  joinsSent: number;
  /** Joins about a chain that is gone */
  joinsToGone: number;
  /** what was said of incidents, and what of it was of one that nobody knows any more */
  feedback: number;
  feedbackToGone: number;
  /** members of other hosts that an incident had no room for: they stand alone */
  omittedMembers: number;
  /** edges of the second stage that had their time, or had to make room */
  expiredEdges: number;
  /** EventBatches, Edges, Joins and RuleCounts without the signature of who may write them: to the dead letters */
  forged: number;
  chains: number;
  rules: number;
  /** of what is in force: a rule that has one is left out */
  ruleErrors: number;
  /** rule files that were changed to something with errors: what they were before stays in force */
  refusedRuleFiles: readonly string[];
}

export function createStats(): DetectorStats {
  return {
    batches: 0,
    events: 0,
    duplicates: 0,
    alerts: 0,
    suppressed: 0,
    opened: 0,
    incidents: 0,
    evicted: 0,
    omittedEntities: 0,
    edges: 0,
    omittedEdges: 0,
    ambiguousAccepts: 0,
    forgottenConnections: 0,
    forgottenKeys: 0,
    lateEvents: 0,
    damagedEntries: 0,
    heldAlerts: 0,
    joins: 0,
    joinsSent: 0,
    joinsToGone: 0,
    feedback: 0,
    feedbackToGone: 0,
    omittedMembers: 0,
    expiredEdges: 0,
    forged: 0,
    chains: 0,
    rules: 0,
    ruleErrors: 0,
    refusedRuleFiles: [],
  };
}
