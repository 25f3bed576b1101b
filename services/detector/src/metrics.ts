/** What the detector counts. All only grow, but for `chains` and `rules`. */
export interface DetectorStats {
  batches: number;
  events: number;
  /** events whose number had been seen: redeliveries, dropped */
  duplicates: number;
  /** alerts sent */
  alerts: number;
  /** repetitions that are only counted in their incident */
  suppressed: number;
  /** versions of incidents sent */
  incidents: number;
  /** chains closed for lack of room */
  evicted: number;
  /** processes that a full chain could not take */
  omittedEntities: number;
  chains: number;
  rules: number;
}

export function createStats(): DetectorStats {
  return {
    batches: 0,
    events: 0,
    duplicates: 0,
    alerts: 0,
    suppressed: 0,
    incidents: 0,
    evicted: 0,
    omittedEntities: 0,
    chains: 0,
    rules: 0,
  };
}
