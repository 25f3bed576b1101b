/** Counters of the detector. All only grow, except `chains` and those about rules. */
export interface DetectorStats {
  batches: number;
  events: number;
  /** Events that were seen before: redeliveries, dropped */
  duplicates: number;
  /** Alerts sent */
  alerts: number;
  /** Repetitions that are only counted in their incident */
  suppressed: number;
  /** Incidents, counted when their first version is sent */
  opened: number;
  /** Versions of incidents sent */
  incidents: number;
  /** Chains closed for lack of room */
  evicted: number;
  /** Keys that a full chain could not take */
  omittedEntities: number;
  /** Edges published */
  edges: number;
  /** Connections that a chain had no room for, or too many of one process */
  omittedEdges: number;
  /** Processes that could have been started for several connections */
  ambiguousAccepts: number;
  /** Remembered connections, logins and copies of files that were evicted for lack of room */
  forgottenConnections: number;
  /** Keys and combinations that rules evicted for lack of room */
  forgottenKeys: number;
  /** Events that arrived too late for the order of a sequence */
  lateEvents: number;
  /** Entries of the rules' memory that could not be restored, dropped */
  damagedEntries: number;
  /** Alerts that `suppress` or `throttle` of their rule held back */
  heldAlerts: number;
  /** Joins handled, and sent */
  joins: number;
  joinsSent: number;
  /** Joins about a chain that is closed */
  joinsToGone: number;
  /** Feedback handled, and feedback about an unknown incident */
  feedback: number;
  feedbackToGone: number;
  /** Members that an incident had no room for: they stand alone */
  omittedMembers: number;
  /** Edges of the second stage that expired or were evicted */
  expiredEdges: number;
  /** Records without a valid signature of the right role, dead-lettered */
  forged: number;
  chains: number;
  rules: number;
  /** Errors in rules in force; a rule with an error is left out */
  ruleErrors: number;
  /** Changed rule files with errors, whose former versions stay in force */
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
