/** Whether the evidence of an incident is kept against retention, and since when. */
export interface Hold {
  readonly incident: string;
  readonly state: 'held' | 'released' | 'refused';
  /** Of the operator; why the last request was refused */
  readonly reason: string;
  /** Id of the last action of an operator on it */
  readonly action: string;
  /** µs since the epoch */
  readonly at: number;
}
