/** What the process of the simulated hosts is told, in a file. */
export interface SimulationPlan {
  /** of each host: an agent's, whose identity is there */
  readonly configFiles: readonly string[];
  /** where it tells how it does, as `up` does: a unix socket */
  readonly socket: string;
  /** events a second of each host */
  readonly rate: number;
  /** s between two attacks; each is on other hosts */
  readonly attackEveryS: number;
  /** a recording that every host plays instead, again and again; null: work and attacks that are made up */
  readonly play: string | null;
}
