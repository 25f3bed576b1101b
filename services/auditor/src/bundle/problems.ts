const MAX_PROBLEMS = 1000;

export interface BundleProblem {
  /** Member, record, or place in the container */
  readonly where: string;
  readonly what: string;
}

/** A chain of the bundle, and how far it is proved. */
export interface ProvedChain {
  readonly name: string;
  readonly records: number;
  /** `signed`: to a head that an auditor signed; `published`: to an unsigned head; `bundle`: by the bundle alone */
  readonly upTo: 'signed' | 'published' | 'bundle';
}

/** Collects what is wrong, up to a limit. */
export class Problems {
  readonly list: BundleProblem[] = [];
  count = 0;

  add(where: string, what: string): void {
    if (this.count++ < MAX_PROBLEMS) this.list.push({ where, what });
  }

  /** Adds a problem instead of what `read` throws: nothing in a bundle is trusted. */
  attempt<T>(where: string, what: string, read: () => T): T | null {
    try {
      return read();
    } catch {
      this.add(where, what);
      return null;
    }
  }
}
