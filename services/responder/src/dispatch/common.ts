/** Returns the name of the lease that the responder with the host's agent holds. */
export function leaseOf(hostId: string): string {
  return `control/${hostId}`;
}

/** Returns the queue with the jobs of a responder; `owner` as in the lease. */
export function queueOf(owner: string): string {
  return `responder/${owner}`;
}

/** Logs the first failure, and the next one only after a success: a retry every second must not fill the log. */
export class OutageLog {
  #isLogged = false;

  succeed(): void {
    this.#isLogged = false;
  }

  fail(log: () => void): void {
    if (!this.#isLogged) log();
    this.#isLogged = true;
  }
}
