/** The lease of the responder to which a host's agent is attached. */
export function leaseOf(hostId: string): string {
  return `control/${hostId}`;
}

/** Where the jobs of a responder are; `owner` as in the lease. */
export function queueOf(owner: string): string {
  return `responder/${owner}`;
}
